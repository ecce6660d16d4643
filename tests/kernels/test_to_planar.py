import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels

from tests.kernels.conv_cases import CASES, Conv

WIDE = [Conv(stride_h=2, stride_w=2, height=9, width=width, in_channels=3) for width in (63, 66, 150)]
ATTRS = ("stride_h", "stride_w", "pad_top", "pad_left", "pad_bottom", "pad_right")


def run(conv, x, isa, dtype, zero_point, planar_input, splits=1):
    attrs = {k: getattr(conv, k) for k in ATTRS} if conv.strided else {}
    attrs |= {"kernel_h": conv.extent_h + 1, "kernel_w": conv.extent_w + 1}
    (rows, cols), _ = conv.gaps
    source = TensorSpec(dtype, planar_input, 2 if planar_input else 0, 1 if planar_input else 0, zero_point)
    return Operator("to_planar", [source], [TensorSpec(dtype, True, rows, cols, zero_point)], attrs, isa=isa).run([x], splits)[0]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("planar_input", [False, True])
@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_what_a_convolution_reads(conv, planar_input, isa):
    rng = np.random.default_rng(1)
    shape = (conv.batch, conv.in_channels, conv.height, conv.width)
    for dtype, x, zero_point in (
        ("u8", rng.integers(0, 256, shape).astype(np.uint8), 9),
        ("f32", rng.standard_normal(shape).astype(np.float32), 0),
    ):
        expected = conv.operator_input(x, zero_point)
        for splits in (1, 3):
            np.testing.assert_array_equal(run(conv, x, isa, dtype, zero_point, planar_input, splits), expected)


def test_an_image_smaller_than_the_kernel_is_refused():
    attrs = {"kernel_h": 9, "kernel_w": 3, "stride_h": 2, "stride_w": 2}
    op = Operator("to_planar", [TensorSpec()], [TensorSpec(planar=True)], attrs)
    with pytest.raises(KernelError, match="8 x 8 pixels is smaller than the kernel of 9 x 3"):
        op.run([np.zeros((1, 1, 8, 8), np.float32)])
