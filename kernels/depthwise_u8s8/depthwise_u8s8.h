/* Depthwise int8 convolution over planes: u8 activations, s8 weights, exact s32 sums.
 *
 *   acc[oc][p] = init[oc] + sum over taps t of w[oc][t] * x[oc / multiplier][p + shift(t)]      for every flat pixel p
 *   y[oc][p]   = requantised acc (conv/requantize.h) where p is a valid pixel, the zero point where it is not
 *
 * Operator type depthwise_u8s8: group = in_channels, multiplier = out_channels / in_channels. Inputs x u8 planar, optionally residual u8
 * planar; output u8 or f32 planar. Constants: weights s8 [out_channels][taps], init, scale, offset. Kernels read x up to HONED_OVERREAD
 * elements past the last pixel that they need.
 *
 * Taps that lie side by side in a row of a plane are taken up to four at a time: a segment. A vector of windows of four pixels, shuffled
 * from one load, times the segment's weights is one int8 dot product. */
#ifndef HONED_DEPTHWISE_U8S8_H
#define HONED_DEPTHWISE_U8S8_H

#include "conv/plane_plan.h"
#include "conv/requantize.h"

/* In which order pairs of a segment's products can be added in 16 bits (conv/pairs.h): the first weight's partner is the second, third
 * or fourth one. The largest one is best beside the padding. HONED_DEPTHWISE_ORDERS where there is no such order. */
typedef enum honed_depthwise_order {
  HONED_DEPTHWISE_0123,
  HONED_DEPTHWISE_0213,
  HONED_DEPTHWISE_0312,
  HONED_DEPTHWISE_ORDERS,
} honed_depthwise_order;

typedef struct honed_depthwise_u8s8 {
  honed_conv conv;
  honed_requantize requantize;
  int64_t num_segments;
  honed_tap *segments; /* [num_segments]: the first tap of each */
  int8_t *weights;     /* [out_channels][num_segments][4], padded with zeros */
  uint8_t *orders;     /* [out_channels][num_segments]: as honed_depthwise_order */
  int kernel;          /* row of kernels.inc */
} honed_depthwise_u8s8;

#define HONED_DEPTHWISE_U8S8(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_DEPTHWISE_U8S8

#endif
