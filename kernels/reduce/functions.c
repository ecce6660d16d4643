#include <math.h>

#include "reduce.h"

enum { PARTS = 8 };

#define RUN(initial, expression)                                    \
  {                                                                 \
    double parts[PARTS];                                            \
    for (int p = 0; p < PARTS; p++) parts[p] = (initial);           \
    for (int64_t i = 0; i < n; i += PARTS) {                        \
      const int count = n - i < PARTS ? (int)(n - i) : PARTS;       \
      for (int p = 0; p < count; p++) {                             \
        const double v = (double)x[i + p], s = parts[p];            \
        parts[p] = (expression);                                    \
      }                                                             \
    }                                                               \
    for (int p = 0; p < PARTS; p++) combine(op, parts[p], &sum->d); \
    return;                                                         \
  }

#define COLUMNS(expression)                                  \
  {                                                          \
    for (int64_t i = 0; i < n; i++) {                        \
      const double v = (double)x[i * stride], s = sums[i].d; \
      sums[i].d = (expression);                              \
    }                                                        \
    return;                                                  \
  }

static honed_reduce_sum start_real(honed_reduce_op op) {
  return (honed_reduce_sum){.d = op == HONED_REDUCE_MAX ? -INFINITY : op == HONED_REDUCE_MIN ? INFINITY : op == HONED_REDUCE_PROD ? 1 : 0};
}

static void combine(honed_reduce_op op, double part, double *sum) {
  switch (op) {
    case HONED_REDUCE_MAX: *sum = part > *sum || part != part ? part : *sum; return;
    case HONED_REDUCE_MIN: *sum = part < *sum || part != part ? part : *sum; return;
    case HONED_REDUCE_PROD: *sum *= part; return;
    default: *sum += part; return;
  }
}

#define T float
#define NAME(function) function##_f32
#include "floats.inc"

#define T double
#define NAME(function) function##_f64
#include "floats.inc"

static int64_t add(honed_reduce_op op, int64_t sum, int64_t value) {
  switch (op) {
    case HONED_REDUCE_MAX: return value > sum ? value : sum;
    case HONED_REDUCE_MIN: return value < sum ? value : sum;
    case HONED_REDUCE_PROD: return (int64_t)((uint64_t)sum * (uint64_t)value);
    default: return (int64_t)((uint64_t)sum + (uint64_t)value);
  }
}

#define INTEGER(t, type, least, greatest)                                                                                               \
  static honed_reduce_sum start_##t(honed_reduce_op op) {                                                                               \
    return (honed_reduce_sum){.i = op == HONED_REDUCE_MAX    ? (least)                                                                  \
                                   : op == HONED_REDUCE_MIN  ? (greatest)                                                               \
                                   : op == HONED_REDUCE_PROD ? 1                                                                        \
                                                             : 0};                                                                      \
  }                                                                                                                                     \
  static void run_##t(honed_reduce_op op, const void *x, int64_t n, double shift, honed_reduce_sum *sum) {                              \
    (void)shift;                                                                                                                        \
    for (int64_t i = 0; i < n; i++) sum->i = add(op, sum->i, ((const type *)x)[i]);                                                     \
  }                                                                                                                                     \
  static void columns_##t(honed_reduce_op op, const void *x, int64_t n, int64_t stride, const double *shifts, honed_reduce_sum *sums) { \
    (void)shifts;                                                                                                                       \
    for (int64_t i = 0; i < n; i++) sums[i].i = add(op, sums[i].i, ((const type *)x)[i * stride]);                                      \
  }                                                                                                                                     \
  static void store_##t(honed_reduce_op op, honed_reduce_sum sum, int64_t count, double shift, void *y) {                               \
    (void)shift;                                                                                                                        \
    *(type *)y = (type)(op == HONED_REDUCE_MEAN ? (count > 0 ? sum.i / count : 0) : sum.i);                                             \
  }                                                                                                                                     \
  const honed_reduce_functions honed_reduce_##t = {start_##t, run_##t, columns_##t, store_##t};

INTEGER(s64, int64_t, INT64_MIN, INT64_MAX)
INTEGER(s32, int32_t, INT32_MIN, INT32_MAX)
INTEGER(s8, int8_t, INT8_MIN, INT8_MAX)
INTEGER(u8, uint8_t, 0, UINT8_MAX)
INTEGER(bool, uint8_t, 0, 1)
