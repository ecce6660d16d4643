/* reduce: sums, extremes and norms over axes of a dense tensor.
 *
 *   max, min                           f32 f64 s64 s32 u8 s8 bool
 *   sum, mean, prod                    f32 f64 s64 s32
 *   l1 Σ|x|, l2 √Σx², sum_square Σx², log_sum log Σx, log_sum_exp max + log Σexp(x - max)       f32 f64
 *
 * Floats are accumulated in double: over adjacent elements in eight parts, element i in part i mod 8; over others in order.
 * Integers wrap; their mean truncates. max and min give NaN where one element is. Over no elements: 0, 1 for prod, the least or
 * greatest number of the type for max and min, NaN for a float mean. */
#ifndef HONED_REDUCE_H
#define HONED_REDUCE_H

#include "base/operator.h"

typedef enum honed_reduce_op {
  HONED_REDUCE_SUM = 0,
  HONED_REDUCE_MEAN = 1,
  HONED_REDUCE_MAX = 2,
  HONED_REDUCE_MIN = 3,
  HONED_REDUCE_PROD = 4,
  HONED_REDUCE_L1 = 5,
  HONED_REDUCE_L2 = 6,
  HONED_REDUCE_SUM_SQUARE = 7,
  HONED_REDUCE_LOG_SUM = 8,
  HONED_REDUCE_LOG_SUM_EXP = 9,
} honed_reduce_op;

enum { HONED_REDUCE_OPS = 10, HONED_REDUCE_COLUMNS = 64 };

/* An accumulator: d of floats, i (modulo 2^64) of integers. */
typedef union honed_reduce_sum {
  double d;
  int64_t i;
} honed_reduce_sum;

/* How the elements of one type are reduced. `shift` is what log_sum_exp subtracts. */
typedef struct honed_reduce_functions {
  honed_reduce_sum (*start)(honed_reduce_op op);
  /* Adds n adjacent elements to one accumulator. */
  void (*run)(honed_reduce_op op, const void *x, int64_t n, double shift, honed_reduce_sum *sum);
  /* Adds one element, `stride` elements apart, to each of up to HONED_REDUCE_COLUMNS accumulators. */
  void (*columns)(honed_reduce_op op, const void *x, int64_t n, int64_t stride, const double *shifts, honed_reduce_sum *sums);
  void (*store)(honed_reduce_op op, honed_reduce_sum sum, int64_t count, double shift, void *y);
} honed_reduce_functions;

extern const honed_reduce_functions honed_reduce_f32, honed_reduce_f64, honed_reduce_s64, honed_reduce_s32, honed_reduce_s8,
    honed_reduce_u8, honed_reduce_bool;

#endif
