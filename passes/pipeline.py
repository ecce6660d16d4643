"""The order of the clean-up passes."""

import onnx_graphsurgeon as gs

from ..graph import infer_shapes, verify
from .base import Pass
from .clean.fold_batch_norm import FoldBatchNorm
from .clean.fold_channel_arithmetic import FoldChannelArithmetic
from .clean.fold_constants import FoldConstants
from .clean.fold_input_batch_norm import FoldInputBatchNorm
from .clean.fold_pad import FoldPad
from .clean.fold_shapes import FoldShapes
from .clean.inline_if import InlineIf
from .clean.matmul_to_gemm import MatmulToGemm
from .clean.merge_constants import MergeConstants
from .clean.merge_nodes import MergeNodes
from .clean.merge_reshapes import MergeReshapes
from .clean.merge_transposes import MergeTransposes
from .clean.normalise_gemm import NormaliseGemm
from .clean.normalise_reshape import NormaliseReshape
from .clean.recognise_clip import RecogniseClip
from .clean.recognise_gelu import RecogniseGelu
from .clean.recognise_global_pool import RecogniseGlobalPool
from .clean.recognise_hard_sigmoid import RecogniseHardSigmoid
from .clean.recognise_hard_swish import RecogniseHardSwish
from .clean.recognise_layer_norm import RecogniseLayerNorm
from .clean.recognise_relu import RecogniseRelu
from .clean.recognise_silu import RecogniseSilu
from .clean.remove_dead import RemoveDead
from .clean.remove_identity import RemoveIdentity
from .clean.remove_no_op import RemoveNoOp
from .clean.trim_outputs import TrimOutputs
from .driver import Driver
from .report import Report

CLEAN: tuple[Pass, ...] = (
    RemoveDead(),
    RemoveIdentity(),
    FoldShapes(),
    FoldConstants(),
    InlineIf(),
    RemoveNoOp(),
    TrimOutputs(),
    MergeConstants(),
    MergeNodes(),
    RecogniseClip(),
    RecogniseRelu(),
    RecogniseHardSigmoid(),
    RecogniseHardSwish(),
    RecogniseGelu(),
    RecogniseSilu(),
    RecogniseLayerNorm(),
    RecogniseGlobalPool(),
    NormaliseReshape(),
    MergeReshapes(),
    MergeTransposes(),
    MatmulToGemm(),
    NormaliseGemm(),
    FoldPad(),
    FoldBatchNorm(),
    FoldInputBatchNorm(),
    FoldChannelArithmetic(),
)
"""The exact clean-up. Recognisers come before the folds that would take their patterns apart."""


def clean(graph: gs.Graph, **options) -> Report:
    """Runs the exact clean-up passes on `graph`, in place, until nothing changes. Options are those of Driver.

    Outputs stay the same up to rounding; names, order and types of graph inputs and outputs stay as they are.
    """
    infer_shapes(graph)
    driver = Driver(graph, **options)
    report = driver.run(CLEAN, to_fixpoint=True)
    infer_shapes(graph)
    verify(graph, "imported" if report.stopped else "optimised")
    return report
