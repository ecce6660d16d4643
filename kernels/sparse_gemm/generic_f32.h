#include <math.h>

#include "base/variant.h"
#include "sparse_gemm_f32.h"

/* Weight rows that are accumulated side by side: each alone would wait for its last sum. */
enum { SIDE_BY_SIDE = 4, VECS = HONED_SPARSE_GEMM_COLUMNS / VF_LANES };

static inline float clamp(const honed_sparse_gemm_f32 *p, float v) { return v < p->lo ? p->lo : v > p->hi ? p->hi : v; }

/* Outputs n to n + rows - 1 of one row of x. `rows` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void dot(const honed_sparse_gemm_f32 *p, const float *x, float *y, int64_t n, int rows) {
  const float *values = p->weights.values;
  const int32_t *begin = p->weights.indptr + n;
  float acc[SIDE_BY_SIDE];
  int32_t common = INT32_MAX;
  for (int r = 0; r < rows; r++) {
    acc[r] = p->bias[n + r];
    common = begin[r + 1] - begin[r] < common ? begin[r + 1] - begin[r] : common;
  }
  for (int32_t i = 0; i < common; i++) {
    for (int r = 0; r < rows; r++) acc[r] = fmaf(values[begin[r] + i], x[honed_csr_index(&p->weights, begin[r] + i)], acc[r]);
  }
  for (int r = 0; r < rows; r++) {
    for (int32_t e = begin[r] + common; e < begin[r + 1]; e++) acc[r] = fmaf(values[e], x[honed_csr_index(&p->weights, e)], acc[r]);
    y[n + r] = clamp(p, acc[r]);
  }
}

static inline void add_entry(const honed_sparse_gemm_f32 *p, const float *columns, int64_t entry, vf *acc) {
  const vf value = vf_set1(((const float *)p->weights.values)[entry]);
  const float *x = columns + honed_csr_index(&p->weights, entry) * HONED_SPARSE_GEMM_COLUMNS;
  for (int v = 0; v < VECS; v++) acc[v] = vf_fma(value, vf_load(x + v * VF_LANES), acc[v]);
}

/* Outputs n to n + rows - 1 of m rows of x, which are the columns of columns[K][HONED_SPARSE_GEMM_COLUMNS]. */
static inline __attribute__((always_inline)) void dot_columns(const honed_sparse_gemm_f32 *p, const float *columns, float *y, int64_t m,
                                                              int64_t n, int rows) {
  const int32_t *begin = p->weights.indptr + n;
  vf acc[SIDE_BY_SIDE][VECS];
  int32_t common = INT32_MAX;
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < VECS; v++) acc[r][v] = vf_set1(p->bias[n + r]);
    common = begin[r + 1] - begin[r] < common ? begin[r + 1] - begin[r] : common;
  }
  for (int32_t i = 0; i < common; i++) {
    for (int r = 0; r < rows; r++) add_entry(p, columns, begin[r] + i, acc[r]);
  }
  for (int r = 0; r < rows; r++) {
    for (int32_t e = begin[r] + common; e < begin[r + 1]; e++) add_entry(p, columns, e, acc[r]);
    float sums[HONED_SPARSE_GEMM_COLUMNS];
    for (int v = 0; v < VECS; v++) vf_store(sums + v * VF_LANES, acc[r][v]);
    for (int64_t c = 0; c < m; c++) y[c * p->shape.n + n + r] = clamp(p, sums[c]);
  }
}

static void transpose(const float *x, int64_t m, int64_t k, float *columns) {
  for (int64_t i = 0; i < k; i++) {
    for (int64_t c = 0; c < HONED_SPARSE_GEMM_COLUMNS; c++) columns[i * HONED_SPARSE_GEMM_COLUMNS + c] = c < m ? x[c * k + i] : 0;
  }
}

static void run_few(const honed_sparse_gemm_f32 *p, const float *x, float *y, honed_sparse_gemm_task t) {
  for (int64_t m = t.m0; m < t.m0 + t.m; m++) {
    int64_t n = t.n0;
    for (; n + SIDE_BY_SIDE <= t.n1; n += SIDE_BY_SIDE) dot(p, x + m * p->shape.k, y + m * p->shape.n, n, SIDE_BY_SIDE);
    for (; n < t.n1; n++) dot(p, x + m * p->shape.k, y + m * p->shape.n, n, 1);
  }
}

static void run_columns(const honed_sparse_gemm_f32 *p, const float *columns, float *y, honed_sparse_gemm_task t) {
  int64_t n = t.n0;
  for (; n + SIDE_BY_SIDE <= t.n1; n += SIDE_BY_SIDE) dot_columns(p, columns, y + t.m0 * p->shape.n, t.m, n, SIDE_BY_SIDE);
  for (; n < t.n1; n++) dot_columns(p, columns, y + t.m0 * p->shape.n, t.m, n, 1);
}

void HONED_VARIANT_SYMBOL(honed_sparse_gemm_f32)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_sparse_gemm_f32 *p = call->params;
  const float *x = call->inputs[0]->data;
  float *y = call->outputs[0]->data;
  const int64_t m = honed_tensor_count(call->inputs[0]) / p->shape.k;
  for (int64_t task = begin; task < end; task++) {
    const honed_sparse_gemm_task t = honed_sparse_gemm_task_at(m, p->shape.n, task);
    if (t.m <= HONED_SPARSE_GEMM_FEW) {
      run_few(p, x, y, t);
      continue;
    }
    if (task == begin || t.n0 == 0) transpose(x + t.m0 * p->shape.k, t.m, p->shape.k, scratch);
    run_columns(p, scratch, y, t);
  }
}
