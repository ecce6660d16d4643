/* softmax and log_softmax along one axis of a dense f32 tensor.
 *
 *   softmax      y = exp(x - max) / Σ exp(x - max)
 *   log_softmax  y = (x - max) - log Σ exp(x - max)
 *
 * The sum over adjacent elements has sixteen parts, element i in part i mod 16, which are then added in halves; over strided elements it is
 * in order. So every variant gives the same bits. */
#ifndef HONED_SOFTMAX_H
#define HONED_SOFTMAX_H

#include "base/operator.h"

enum { HONED_SOFTMAX_COLUMNS = 64 };

typedef struct honed_softmax_kernel {
  const char *name;
  /* n adjacent elements. */
  void (*row)(const float *x, float *y, int64_t n, bool log);
  /* 1 to HONED_SOFTMAX_COLUMNS adjacent columns of n elements, which lie `stride` apart. */
  void (*columns)(const float *x, float *y, int64_t n, int64_t stride, int64_t columns, bool log);
} honed_softmax_kernel;

#define HONED_SOFTMAX_VARIANT(isa, variant) extern const honed_softmax_kernel honed_softmax_kernel__##variant;
#include "kernels.inc"
#undef HONED_SOFTMAX_VARIANT

#endif
