"""Codes of operators' attributes."""

# unary_f32 and binary_f32 (kernels/unary/functions.inc, kernels/binary/functions.inc): the attribute op.
UNARY = {
    "abs": 0,
    "neg": 1,
    "sign": 2,
    "floor": 3,
    "ceil": 4,
    "round": 5,
    "sqrt": 6,
    "reciprocal": 7,
    "exp": 8,
    "log": 9,
    "sin": 10,
    "cos": 11,
    "erf": 12,
    "tanh": 13,
    "sigmoid": 14,
    "softplus": 15,
    "softsign": 16,
    "relu": 17,
    "leaky_relu": 18,
    "thresholded_relu": 19,
    "clip": 20,
    "elu": 21,
    "selu": 22,
    "celu": 23,
    "hard_sigmoid": 24,
    "hard_swish": 25,
    "silu": 26,
    "gelu": 27,
    "gelu_tanh": 28,
    "mish": 29,
}

BINARY = {"add": 0, "sub": 1, "mul": 2, "div": 3, "max": 4, "min": 5, "prelu": 6}

# The resize operators (kernels/resize/resize.h): the attributes coordinate_mode, nearest_mode, aspect, and filter of resize_filter.
COORDINATE_MODES = {
    "half_pixel": 0,
    "pytorch_half_pixel": 1,
    "align_corners": 2,
    "asymmetric": 3,
    "half_pixel_symmetric": 4,
    "tf_crop_and_resize": 5,
}
NEAREST_MODES = {"round_prefer_floor": 0, "round_prefer_ceil": 1, "floor": 2, "ceil": 3}

# pad_planar (kernels/layout/pad_planar.c): the attribute mode.
PAD_MODES = {"constant": 0, "reflect": 1, "edge": 2}
ASPECTS = {"stretch": 0, "not_larger": 1, "not_smaller": 2}
FILTERS = {"nearest": 0, "linear": 1, "cubic": 2}
