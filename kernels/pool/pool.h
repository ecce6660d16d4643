/* Pooling over windows of a plane, and over whole planes; f32 and u8, NCHW.
 *
 *   max_pool             planar -> planar       the largest valid pixel of each window; NaN pixels are passed over; a window
 *                                               without a valid pixel gives -inf, or 0 of u8
 *   average_pool         planar -> planar       f32: sum / count. u8: rint(clamp(fmaf((float)sum / (float)count, scale, offset)))
 *   global_max_pool      planar -> dense [N, C, 1, 1]
 *   global_average_pool  planar -> dense [N, C, 1, 1]   u8: rint(clamp(sum * (input_scale / (output_scale * count)))) + zero_point, the
 *                                                        clamp's bounds less the zero point
 *
 * The sum is over the valid pixels, of u8 less the input's zero point (exact, in s32). The count is that of the valid pixels, or with
 * count_include_pad that of the taps within the image and its padding. Windows and output sizes are ONNX's, with ceil_mode (a
 * window that would begin behind the image and its left padding is dropped), pads and dilations of any size.
 *
 * Windows are separable: the rows of a window are combined first, into a block of scratch rows whose margins stand for the padding, then
 * columns; the order of additions is thus the same in every variant. Float sums over whole planes are 64 partial sums over flat
 * pixels, gaps (which are 0) included, added pairwise. */
#ifndef HONED_POOL_H
#define HONED_POOL_H

#include "base/operator.h"
#include "base/planes.h"
#include "window.h"

enum {
  HONED_POOL_MAX_F32,
  HONED_POOL_MAX_U8,
  HONED_POOL_AVERAGE_F32,
  HONED_POOL_AVERAGE_U8,
  HONED_POOL_GLOBAL_MAX_F32,
  HONED_POOL_GLOBAL_MAX_U8,
  HONED_POOL_GLOBAL_AVERAGE_F32,
  HONED_POOL_GLOBAL_AVERAGE_U8,
  HONED_POOL_FUNCTIONS,
};

typedef struct honed_pool_kernel {
  const char *name;
  honed_kernel kernel;
} honed_pool_kernel;

typedef struct honed_pool_params {
  honed_pool_kernel kernel;
  honed_window h, w;
  bool count_include_pad;
  float lo, hi;                                /* u8 averages */
  float scale, offset;                         /* over windows */
  float input_scale, output_scale, zero_point; /* over planes */
} honed_pool_params;

typedef struct honed_pool_plan {
  honed_blocks blocks;     /* of output rows */
  int64_t columns;         /* input columns that any window reaches */
  int64_t buffer_stride;   /* elements of a row of scratch: the left margin, `columns`, the right margin */
  int64_t buffer_elements; /* of the scratch rows of a block, and what vectors read behind them */
  bool flat;               /* buffer_stride is stride_w times the output's row_stride: all rows are one row */
  float *column_counts;    /* average_pool: taps that count, per output column */
} honed_pool_plan;

#define HONED_POOL_VARIANT(isa, variant) extern const honed_pool_kernel honed_pool_kernels__##variant[HONED_POOL_FUNCTIONS];
#include "kernels.inc"
#undef HONED_POOL_VARIANT

#endif
