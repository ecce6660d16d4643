/* What the operators with constant [N, K] weights share: shapes, checks and the split into tasks. */
#ifndef HONED_GEMM_OPERAND_H
#define HONED_GEMM_OPERAND_H

#include "base/operator.h"

typedef struct honed_gemm_shape {
  int64_t n, k;
} honed_gemm_shape;

/* Reads `n` and `k` of an operator with one input of type `x` and one output of f32, or of u8 where x is u8. */
honed_status honed_gemm_shape_read(const honed_op_spec *spec, honed_dtype x, honed_gemm_shape *out, honed_context *ctx);

/* x [..., K] -> y [..., N]. *rows is the product of the leading dimensions. */
honed_status honed_gemm_shape_apply(const honed_gemm_shape *shape, honed_call *call, int64_t *rows, honed_context *ctx);

/* A task is one panel of outputs of up to `HONED_GEMM_TASK_ROWS` rows; tasks of one panel, whose weights are in the cache, are neighbours.
 */
typedef struct honed_gemm_task {
  int64_t m0, m, n0, n;
} honed_gemm_task;

enum { HONED_GEMM_TASK_ROWS = 96 };

int64_t honed_gemm_task_count(int64_t m, int64_t n);
honed_gemm_task honed_gemm_task_at(int64_t m, int64_t n, int64_t task);

#endif
