"""Packers: from weights in ONNX's layout to the constants that the operators read. The only place where the packed forms are made."""

from .bf16 import from_bf16, to_bf16
from .conv import pack_conv_bf16, pack_conv_f32, pack_conv_u8s8, pack_depthwise_f32, pack_depthwise_u8s8
from .gemm import pack_gemm_bf16, pack_gemm_f32, pack_gemm_u8s8, pack_sparse_gemm_f32, pack_sparse_gemm_u8s8
from .grouping import GroupingCost
from .lists import list_sizes, list_steps, pack_sparse_conv_f32, pack_sparse_conv_u8s8, unpack_lists
from .winograd import pack_conv_winograd_f32, winograd_filters, winograd_matrices, winograd_taps

__all__ = [
    "GroupingCost",
    "from_bf16",
    "list_sizes",
    "list_steps",
    "pack_conv_bf16",
    "pack_conv_f32",
    "pack_conv_u8s8",
    "pack_conv_winograd_f32",
    "pack_depthwise_f32",
    "pack_depthwise_u8s8",
    "pack_gemm_bf16",
    "pack_gemm_f32",
    "pack_gemm_u8s8",
    "pack_sparse_conv_f32",
    "pack_sparse_conv_u8s8",
    "pack_sparse_gemm_f32",
    "pack_sparse_gemm_u8s8",
    "to_bf16",
    "unpack_lists",
    "winograd_filters",
    "winograd_matrices",
    "winograd_taps",
]
