/* What all 2-D convolutions share: attributes, output shape, and where a tap lies.
 *
 * Over a planar input (base/tensor.h) tap (c, ky, kx) of an output pixel is at a constant distance from it. A strided convolution reads
 * phases: channel c of the model is phases_h * phases_w planes of the input, plane (c * phases_h + a) * phases_w + b holding the padded
 * pixels (stride_h * i + a, stride_w * j + b) (operator to_planar makes them); then, too, every tap is a constant distance away. */
#ifndef HONED_CONV_CONV_H
#define HONED_CONV_CONV_H

#include "base/operator.h"

typedef struct honed_conv {
  int64_t in_channels, out_channels, group; /* channels of the model, not planes */
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  int64_t phases_h, phases_w; /* min(stride, dilated kernel extent); 1 where x is whole */
  bool whole;                 /* x is the model's, whatever the strides, and the pads are the convolution's */
} honed_conv;

/* Reads and checks the attributes and the operands' dtypes and layouts: inputs x and optionally a residual, output y. The residual has
 * y's dtype. */
honed_status honed_conv_create(const honed_op_spec *spec, honed_conv *out, honed_context *ctx);

/* The same for operators that read the model's x, which may be dense. */
honed_status honed_conv_create_whole(const honed_op_spec *spec, honed_conv *out, honed_context *ctx);

/* The same convolution over phases that hold the pads, where x is whole: of an operator that splits it itself. */
honed_conv honed_conv_split(const honed_conv *conv);

/* Sets y's shape; checks x's channels and a residual's shape. */
honed_status honed_conv_reshape(const honed_conv *conv, honed_call *call, honed_context *ctx);

/* For reshape, of kernels that run over flat pixels: x's gaps cover the pads (with any_columns: its rows do), and x, y and the residual
 * have one row stride (with any_x: y and the residual). */
honed_status honed_conv_check_gaps(const honed_conv *conv, const honed_call *call, bool any_columns, honed_context *ctx);
honed_status honed_conv_check_strides(const honed_call *call, bool any_x, honed_context *ctx);

/* A kernel of one tap and no padding: pixel to pixel, whatever the strides. */
static inline bool honed_conv_is_pointwise(const honed_conv *c) {
  return c->kernel_h * c->kernel_w == 1 && (c->pad_top | c->pad_left | c->pad_bottom | c->pad_right) == 0;
}

/* Number of taps of one channel, kernel_h * kernel_w, and of all channels. */
static inline int64_t honed_conv_taps(const honed_conv *conv) { return conv->kernel_h * conv->kernel_w; }
static inline int64_t honed_conv_ids(const honed_conv *conv) { return conv->in_channels * honed_conv_taps(conv); }

/* Columns by which the rows of a phase are longer than those of y. */
static inline int64_t honed_conv_reach_w(const honed_conv *conv) { return (conv->kernel_w - 1) * conv->dilation_w / conv->stride_w; }

/* Which of a channel's phase planes tap (ky, kx) reads, and at which distance within it, in elements. */
int64_t honed_conv_tap_phase(const honed_conv *conv, int64_t ky, int64_t kx);
int64_t honed_conv_tap_shift(const honed_conv *conv, int64_t row_stride, int64_t ky, int64_t kx);

/* Distances of all taps in elements, indexed by c * taps + ky * kernel_w + kx. `out` has honed_conv_ids elements. Fails where they leave
 * the range of 32 bits. */
honed_status honed_conv_offsets(const honed_conv *conv, const honed_tensor *x, int32_t *out, honed_context *ctx);

#endif
