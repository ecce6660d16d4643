/* Dense convolution over planes with products in bf16 (base/bf16.h) of f32 activations, which are rounded, and weights that are bf16.
 *
 *   sum[oc][p] = bias[oc] + sum over pairs of channels of oc's group and taps t of the products of the pair, in order
 *   y[oc][p]   = clamp(sum[oc][p] + residual[oc][p]) where p is a valid pixel, 0 where it is not
 *
 * Operator type conv_bf16. Inputs x f32 planar, optionally residual f32 planar; output f32 planar. Constants: conv/float_conv.h, with units
 * of two channels in bf16 (as u16); a group's last unit may lack its second. Denormal numbers count as zero, in x, bias, residual, clamps
 * and y as well. The same bits in every variant. */
#ifndef HONED_CONV_BF16_H
#define HONED_CONV_BF16_H

#include "conv/float_conv.h"

#define HONED_CONV_BF16(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_CONV_BF16

#endif
