/* Depthwise float convolution over planes.
 *
 *   sum[oc][p] = bias[oc] + sum over taps t of w[oc][t] * x[oc / multiplier][p + shift(t)], in order, by fused multiply-adds
 *   y[oc][p]   = clamp(sum[oc][p] + residual[oc][p]) where p is a valid pixel, 0 where it is not
 *
 * where shift(t) is that of conv/conv.h. With the attribute `whole`, x is not split into phases, pads are the convolution's, stride_w is 1,
 * or 2 where dilation_w is 1; operands then have any row strides and gaps. A tap outside of the image is 0.
 *
 * Operator type depthwise_f32: group = in_channels, multiplier = out_channels / in_channels. Inputs x f32 planar, optionally residual f32
 * planar; output f32 planar. Unless it is whole, x needs gap rows, but no gap columns. Constants: weights f32 [out_channels][taps], bias.
 * The same bits in every variant. Kernels read x up to HONED_OVERREAD elements past the last pixel that they need. */
#ifndef HONED_DEPTHWISE_F32_H
#define HONED_DEPTHWISE_F32_H

#include "conv/output_f32.h"
#include "conv/plane_plan.h"

typedef struct honed_depthwise_f32 {
  honed_conv conv;
  honed_output_f32 output;
  const float *weights;
  honed_tap *taps; /* [kernel_h * kernel_w] */
  int kernel;      /* row of kernels.inc, or of whole.inc where x is whole */
} honed_depthwise_f32;

#define HONED_DEPTHWISE_F32(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#include "whole.inc"
#undef HONED_DEPTHWISE_F32

#endif
