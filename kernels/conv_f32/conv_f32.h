/* Dense float convolution over planes.
 *
 *   sum[oc][p] = bias[oc] + sum over channels c of oc's group and taps t of w[oc][c][t] * x[c][p + shift(t)]
 *   y[oc][p]   = clamp(sum[oc][p] + residual[oc][p]) where p is a valid pixel, 0 where it is not
 *
 * summed up in order by fused multiply-adds.
 *
 * Operator type conv_f32. Inputs x f32 planar, optionally residual f32 planar; output f32 planar. Constants: conv/float_conv.h, with units
 * of one channel in f32. The same bits in every variant. */
#ifndef HONED_CONV_F32_H
#define HONED_CONV_F32_H

#include "conv/float_conv.h"

#define HONED_CONV_F32(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_CONV_F32

#endif
