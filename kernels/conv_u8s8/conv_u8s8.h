/* Dense int8 convolution over planes: u8 activations, s8 weights, exact s32 sums.
 *
 *   acc[oc][p] = init[oc] + sum over channels c of oc's group and taps t of w[oc][c][t] * x[c][p + shift(t)]   for every flat pixel p
 *   y[oc][p]   = requantised acc (conv/requantize.h) where p is a valid pixel, the zero point where it is not
 *
 * Operator type conv_u8s8. Inputs x u8 planar, optionally residual u8 planar; output u8 or f32 planar. Constants: weights
 * s8 [group][blocks of `rows` output channels][quads of input channels][taps][rows][4 input channels], padded with zeros; init, scale,
 * offset. Attribute rows: 4 (the default) for kernels that have pixels in their lanes, 32 for those that have output channels there.
 * Kernels read x up to HONED_OVERREAD elements past the last pixel that they need. */
#ifndef HONED_CONV_U8S8_H
#define HONED_CONV_U8S8_H

#include "conv/band_plan.h"
#include "conv/pairs.h"
#include "conv/requantize.h"

enum { HONED_CONV_U8S8_ROWS = 4, HONED_CONV_U8S8_CHANNELS = 32 /* output channels per block of packed weights */ };

typedef struct honed_conv_u8s8 {
  honed_conv conv;
  honed_requantize requantize;
  const int8_t *weights;
  honed_conv_pairs pairs; /* of the weights, for the kernels that want them */
  int64_t quads;          /* per group */
  int64_t rows;           /* per block */
  bool words;             /* of one tap, with a kernel of pointwise.inc */
  int kernel;             /* row of the table: kernels.inc, pointwise.inc or channels.inc */
} honed_conv_u8s8;

#define HONED_CONV_U8S8(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_CONV_U8S8
#define HONED_CONV_U8S8(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "channels.inc"
#undef HONED_CONV_U8S8
#define HONED_CONV_U8S8(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "pointwise.inc"
#undef HONED_CONV_U8S8

#endif
