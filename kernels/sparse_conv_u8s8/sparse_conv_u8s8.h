/* Sparse int8 convolution over planes: u8 activations, s8 weights, exact s32 sums.
 *
 *   acc[oc][p] = init[oc] + sum over the entries (id, w) of oc's list of w * x[p + offset(id)]      for every flat pixel p
 *   y[oc][p]   = requantised acc (conv/requantize.h) where p is a valid pixel, the zero point where it is not
 *
 * Operator type sparse_conv_u8s8. Inputs x u8 planar, optionally residual u8 planar; output u8 or f32 planar. Constants: lists, ids and
 * weights (conv/lists.h, step 4, weights s8 [..][4]), init, scale, offset. Kernels read x up to 63 elements past the last pixel that
 * they need, and store whole groups of 64 pixels. */
#ifndef HONED_SPARSE_CONV_U8S8_H
#define HONED_SPARSE_CONV_U8S8_H

#include "conv/lists.h"
#include "conv/pixel_plan.h"
#include "conv/requantize.h"

typedef struct honed_sparse_conv_u8s8 {
  honed_conv conv;
  honed_conv_lists lists;
  honed_requantize requantize;
  int kernel; /* row of kernels.inc */
} honed_sparse_conv_u8s8;

#define HONED_SPARSE_CONV_U8S8(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_SPARSE_CONV_U8S8

#endif
