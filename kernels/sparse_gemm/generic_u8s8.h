#include "base/variant.h"
#include "sparse_gemm_u8s8.h"

static inline void store(const honed_call *call, int64_t m, int64_t n, uint32_t sum) {
  const honed_sparse_gemm_u8s8 *p = call->params;
  const honed_tensor *y = call->outputs[0];
  const int64_t at = m * p->shape.n + n;
  const int32_t acc = (int32_t)(sum + (uint32_t)p->requantize.init[n]);
  if (y->dtype == HONED_F32) {
    ((float *)y->data)[at] = honed_requantize_f32(&p->requantize, n, acc);
  } else {
    ((uint8_t *)y->data)[at] = honed_requantize_u8(&p->requantize, n, acc);
  }
}

static void run_few(const honed_call *call, honed_sparse_gemm_task t) {
  const honed_sparse_gemm_u8s8 *p = call->params;
  const int8_t *values = p->weights.values;
  for (int64_t m = t.m0; m < t.m0 + t.m; m++) {
    const uint8_t *x = (const uint8_t *)call->inputs[0]->data + m * p->shape.k;
    for (int64_t n = t.n0; n < t.n1; n++) {
      uint32_t sum = 0;
      for (int64_t e = p->weights.indptr[n]; e < p->weights.indptr[n + 1]; e++) {
        sum += (uint32_t)(values[e] * x[honed_csr_index(&p->weights, e)]);
      }
      store(call, m, n, sum);
    }
  }
}

static void run_columns(const honed_call *call, const uint8_t *columns, honed_sparse_gemm_task t) {
  const honed_sparse_gemm_u8s8 *p = call->params;
  const int8_t *values = p->weights.values;
  for (int64_t n = t.n0; n < t.n1; n++) {
    uint32_t sums[HONED_SPARSE_GEMM_COLUMNS] = {0};
    for (int64_t e = p->weights.indptr[n]; e < p->weights.indptr[n + 1]; e++) {
      const uint8_t *x = columns + honed_csr_index(&p->weights, e) * HONED_SPARSE_GEMM_COLUMNS;
      for (int c = 0; c < HONED_SPARSE_GEMM_COLUMNS; c++) sums[c] += (uint32_t)(values[e] * x[c]);
    }
    for (int64_t c = 0; c < t.m; c++) store(call, t.m0 + c, n, sums[c]);
  }
}

static void transpose(const uint8_t *x, int64_t m, int64_t k, uint8_t *columns) {
  for (int64_t i = 0; i < k; i++) {
    for (int64_t c = 0; c < HONED_SPARSE_GEMM_COLUMNS; c++) columns[i * HONED_SPARSE_GEMM_COLUMNS + c] = c < m ? x[c * k + i] : 0;
  }
}

void HONED_VARIANT_SYMBOL(honed_sparse_gemm_u8s8)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_sparse_gemm_u8s8 *p = call->params;
  const int64_t k = p->shape.k, m = honed_tensor_count(call->inputs[0]) / k;
  for (int64_t task = begin; task < end; task++) {
    const honed_sparse_gemm_task t = honed_sparse_gemm_task_at(m, p->shape.n, task);
    if (t.m <= HONED_SPARSE_GEMM_FEW) {
      run_few(call, t);
      continue;
    }
    if (task == begin || t.n0 == 0) transpose((const uint8_t *)call->inputs[0]->data + t.m0 * k, t.m, k, scratch);
    run_columns(call, scratch, t);
  }
}
