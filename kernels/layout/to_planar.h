/* Into planes: a copy (stride 1), or the phases of a padded input for a strided convolution.
 *
 *   stride 1   y[n][c][i][j] = x[n][c][i][j]
 *   else       y[n][(c * p_h + a) * p_w + b][i][j] = padded[n][c][stride_h * i + a][stride_w * j + b]
 *
 * where p_h = min(stride_h, kernel_h), kernel_h and kernel_w are the consumer's extents with dilation, `padded` is x within pad_top,
 * pad_left, pad_bottom, pad_right of zero points (zeros for f32), and a phase has as many rows as the consumer reads: its output rows plus
 * (kernel_h - 1) / stride_h. Operator type to_planar: x f32 or u8, dense or planar, rank 4; y of the same dtype, planar. */
#ifndef HONED_TO_PLANAR_H
#define HONED_TO_PLANAR_H

#include "base/operator.h"

typedef struct honed_to_planar {
  int64_t kernel_h, kernel_w, stride_h, stride_w;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  int64_t phases_h, phases_w;
  int kernel; /* row of kernels.inc */
} honed_to_planar;

#define HONED_TO_PLANAR(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "to_planar.inc"
#undef HONED_TO_PLANAR

#endif
