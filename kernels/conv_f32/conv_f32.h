/* Dense float convolution over planes.
 *
 *   sum[oc][p] = bias[oc] + sum over channels c of oc's group and taps t of w[oc][c][t] * x[c][p + shift(t)], in order, by fused
 * multiply-adds y[oc][p]   = clamp(sum[oc][p] + residual[oc][p]) where p is a valid pixel, 0 where it is not
 *
 * Operator type conv_f32. Inputs x f32 planar, optionally residual f32 planar; output f32 planar. A 1x1 kernel takes x with any row
 * stride. Constants: weights f32 [group][blocks of 8 output channels][input channels of the group][taps][8 output channels], padded with
 * zeros; bias. The same bits in every variant. Kernels read x up to HONED_OVERREAD elements past the last pixel that they need. */
#ifndef HONED_CONV_F32_H
#define HONED_CONV_F32_H

#include "conv/band_plan.h"
#include "conv/output_f32.h"

enum { HONED_CONV_F32_ROWS = 8 /* output channels per block of packed weights */ };

typedef struct honed_conv_f32 {
  honed_conv conv;
  honed_output_f32 output;
  const float *weights;
  int kernel; /* row of kernels.inc */
} honed_conv_f32;

#define HONED_CONV_F32(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_CONV_F32

#endif
