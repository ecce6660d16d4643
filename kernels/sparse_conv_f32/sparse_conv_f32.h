/* Sparse float convolution over planes.
 *
 *   sum[oc][p] = bias[oc] + sum over the entries (id, w) of oc's list of w * x[p + offset(id)], in order, by fused multiply-adds
 *   y[oc][p]   = clamp(sum[oc][p] + residual[oc][p]) where p is a valid pixel, 0 where it is not
 *
 * Operator type sparse_conv_f32. Inputs x f32 planar, optionally residual f32 planar; output f32 planar. Constants: lists, ids and weights
 * (conv/lists.h, step 1, weights f32 [..][1]), bias. The same bits in every variant. x needs gap rows, but no gap columns. Kernels read
 * x up to HONED_OVERREAD elements past the last pixel that they need. */
#ifndef HONED_SPARSE_CONV_F32_H
#define HONED_SPARSE_CONV_F32_H

#include "conv/lists.h"
#include "conv/output_f32.h"
#include "plan.h"

typedef struct honed_sparse_conv_f32 {
  honed_conv conv;
  honed_conv_lists lists;
  honed_output_f32 output;
  int kernel; /* row of kernels.inc */
} honed_sparse_conv_f32;

#define HONED_SPARSE_CONV_F32(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_SPARSE_CONV_F32

#endif
