/* Pooling over dense tensors [N, C, D1, ..., Dk] with windows over one to six dimensions, and the places of maxima.
 *
 *   max_pool_nd      f32 u8 s8 -> same, [s64]   the largest valid element of each window; NaN is passed over; a window without a valid
 *                                               element gives the least of the type
 *   average_pool_nd  f32 -> f32                 sum / count, the sum in double
 *
 * Constants, s64: kernel[k], strides[k], dilations[k], pads[2k] (all begins, then all ends). Output sizes, ceil_mode and count_include_pad
 * are those of pool/pool.h. Output 1 of max_pool_nd is where the element lies in the flat input, or with column_major where it would lie if
 * the dimensions of each plane were stored in the opposite order: the first of several; the first valid one where none is greater than the
 * least of the type; 0 where there is no valid one. */
#ifndef HONED_POOL_ND_H
#define HONED_POOL_ND_H

#include "base/operator.h"
#include "pool/window.h"

enum { HONED_POOL_ND_RANK = HONED_MAX_RANK - 2 };

/* The valid elements of a window: taps along each axis, elements from one to the next, and the place of the first in the plane. */
typedef struct honed_taps {
  int rank;
  int64_t count; /* of all */
  int64_t taps[HONED_POOL_ND_RANK], steps[HONED_POOL_ND_RANK], start;
} honed_taps;

/* Writes the largest element to y, and returns its place in the plane; of no elements: the least of the type, and 0. */
typedef int64_t (*honed_max_function)(const honed_taps *taps, const void *plane, void *y);

/* NULL where the type has none. */
honed_max_function honed_max_function_of(honed_dtype dtype);

/* The sum of the elements. */
double honed_taps_sum(const honed_taps *taps, const float *plane);

#endif
