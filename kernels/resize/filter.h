/* resize_filter: every output pixel is a weighted sum of the pixels around its position, along each axis in turn.
 *
 * The pixels j around position x get the weights f(s·(j - x)), where s is 1, or with `antialias` min(scale, 1):
 *
 *   filter 0, nearest   1 for the pixel at the rounded position
 *   filter 1, linear    f(d) = max(1 - |d|, 0)
 *   filter 2, cubic     (a + 2)|d|³ - (a + 3)d² + 1 for |d| <= 1;  a|d|³ - 5a·d² + 8a|d| - 4a for |d| < 2; attribute cubic_a = a
 *                       (R. Keys, Cubic convolution interpolation for digital image processing, 1981)
 *
 * With `antialias` they are divided by their sum. Pixels outside of the image count for those at its edge, or with `exclude_outside`
 * not at all, and then the weights are divided by the sum of what is left. With coordinate_mode tf_crop_and_resize, attributes
 * roi_begin_h, roi_end_h = 1, roi_begin_w, roi_end_w = 1, positions outside of the image give `value`. */
#ifndef HONED_RESIZE_FILTER_H
#define HONED_RESIZE_FILTER_H

#include "resize.h"

enum { HONED_FILTER_NEAREST = 0, HONED_FILTER_LINEAR = 1, HONED_FILTER_CUBIC = 2, HONED_FILTERS };

typedef struct honed_filter_params {
  honed_resize_params resize; /* first: create and reshape of resize.h see it */
  int64_t filter, antialias, exclude_outside;
  float cubic_a, value;
} honed_filter_params;

/* Output position i is made of the pixels first[i] ... first[i] + taps - 1; pixel k of it has weights[k * size + i]. */
typedef struct honed_filter_axis {
  int64_t size, taps;
  int32_t *first;
  float *weights;
  uint8_t *outside; /* 1: `value`; NULL: none */
} honed_filter_axis;

typedef struct honed_filter_plan {
  honed_blocks blocks;
  honed_filter_axis rows, columns;
} honed_filter_plan;

/* For reshape: allocates and fills *axis for axis 0 (H) or 1 (W). `resize` has the scales of honed_resize_sizes. */
honed_status honed_filter_axis_make(honed_call *call, const honed_resize_params *resize, int axis, int64_t size, int64_t out,
                                    honed_filter_axis *result, honed_context *ctx);

#endif
