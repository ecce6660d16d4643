/* The loops of the sparse products, once. A file that includes this defines before
 *   gemm_params               the operator's, with `shape` and `weights`
 *   input, weight, number     what x, the values and the sums are
 *   multiply_add(w, x, sum)
 *   numbers                   a vector of VF_LANES numbers, with set_all, load_all, store_all and multiply_add_all
 *   start(p, n)               what the sum of output n starts from
 *   finish(call, m, n, sum)   writes output n of row m */
#include "csr.h"

/* Weight rows that are accumulated side by side: each alone would wait for its last sum. */
enum { SIDE_BY_SIDE = 4, VECS = HONED_SPARSE_GEMM_COLUMNS / VF_LANES };

/* Entries that each of `rows` weight rows from n on has. */
static inline int32_t common_entries(const int32_t *indptr, int rows) {
  int32_t common = INT32_MAX;
  for (int r = 0; r < rows; r++) common = indptr[r + 1] - indptr[r] < common ? indptr[r + 1] - indptr[r] : common;
  return common;
}

/* Outputs n to n + rows - 1 of row m. `rows` and `wide` are constants where this is inlined. */
static inline __attribute__((always_inline)) void dot(const honed_call *call, int64_t m, int64_t n, int rows, bool wide) {
  const gemm_params *p = call->params;
  const input *x = (const input *)call->inputs[0]->data + m * p->shape.k;
  const int32_t *begin = p->weights.indptr + n;
  const int64_t common = common_entries(begin, rows);
  const weight *values[SIDE_BY_SIDE];
  const void *indices[SIDE_BY_SIDE];
  number sums[SIDE_BY_SIDE];
  for (int r = 0; r < rows; r++) {
    values[r] = (const weight *)p->weights.values + begin[r];
    indices[r] = wide ? (const void *)((const int32_t *)p->weights.indices + begin[r]) : (const uint16_t *)p->weights.indices + begin[r];
    sums[r] = start(p, n + r);
  }
  for (int64_t i = 0; i < common; i++) {
    for (int r = 0; r < rows; r++) sums[r] = multiply_add(values[r][i], x[honed_csr_index(indices[r], wide, i)], sums[r]);
  }
  for (int r = 0; r < rows; r++) {
    const int64_t count = begin[r + 1] - begin[r];
    for (int64_t i = common; i < count; i++) sums[r] = multiply_add(values[r][i], x[honed_csr_index(indices[r], wide, i)], sums[r]);
    finish(call, m, n + r, sums[r]);
  }
}

static inline void add_entry(const gemm_params *p, const number *columns, int64_t entry, numbers *sums) {
  const numbers w = set_all(((const weight *)p->weights.values)[entry]);
  const number *x = columns + honed_csr_index(p->weights.indices, p->weights.wide, entry) * HONED_SPARSE_GEMM_COLUMNS;
  for (int v = 0; v < VECS; v++) sums[v] = multiply_add_all(w, load_all(x + v * VF_LANES), sums[v]);
}

/* Outputs n to n + rows - 1 of the task's rows of x, which are the columns of columns[K][HONED_SPARSE_GEMM_COLUMNS]. */
static inline __attribute__((always_inline)) void dot_columns(const honed_call *call, const number *columns, honed_sparse_gemm_task t,
                                                              int64_t n, int rows) {
  const gemm_params *p = call->params;
  const int32_t *begin = p->weights.indptr + n;
  const int32_t common = common_entries(begin, rows);
  numbers sums[SIDE_BY_SIDE][VECS];
  for (int r = 0; r < rows; r++) {
    for (int v = 0; v < VECS; v++) sums[r][v] = set_all(start(p, n + r));
  }
  for (int32_t i = 0; i < common; i++) {
    for (int r = 0; r < rows; r++) add_entry(p, columns, begin[r] + i, sums[r]);
  }
  for (int r = 0; r < rows; r++) {
    for (int32_t e = begin[r] + common; e < begin[r + 1]; e++) add_entry(p, columns, e, sums[r]);
    number out[HONED_SPARSE_GEMM_COLUMNS];
    for (int v = 0; v < VECS; v++) store_all(out + v * VF_LANES, sums[r][v]);
    for (int64_t c = 0; c < t.m; c++) finish(call, t.m0 + c, n + r, out[c]);
  }
}

static void transpose(const input *x, int64_t m, int64_t k, number *columns) {
  for (int64_t i = 0; i < k; i++, columns += HONED_SPARSE_GEMM_COLUMNS) {
    for (int64_t c = 0; c < HONED_SPARSE_GEMM_COLUMNS; c++) columns[c] = c < m ? x[c * k + i] : 0;
  }
}

static inline __attribute__((always_inline)) void run_few(const honed_call *call, honed_sparse_gemm_task t, bool wide) {
  for (int64_t m = t.m0; m < t.m0 + t.m; m++) {
    int64_t n = t.n0;
    for (; n + SIDE_BY_SIDE <= t.n1; n += SIDE_BY_SIDE) dot(call, m, n, SIDE_BY_SIDE, wide);
    for (; n < t.n1; n++) dot(call, m, n, 1, wide);
  }
}

static void run_columns(const honed_call *call, const number *columns, honed_sparse_gemm_task t) {
  int64_t n = t.n0;
  for (; n + SIDE_BY_SIDE <= t.n1; n += SIDE_BY_SIDE) dot_columns(call, columns, t, n, SIDE_BY_SIDE);
  for (; n < t.n1; n++) dot_columns(call, columns, t, n, 1);
}

static void run(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const gemm_params *p = call->params;
  const int64_t k = p->shape.k, m = honed_tensor_count(call->inputs[0]) / k;
  for (int64_t task = begin; task < end; task++) {
    const honed_sparse_gemm_task t = honed_sparse_gemm_task_at(m, p->shape.n, task);
    if (t.m <= HONED_SPARSE_GEMM_FEW) {
      if (p->weights.wide) {
        run_few(call, t, true);
      } else {
        run_few(call, t, false);
      }
      continue;
    }
    if (task == begin || t.n0 == 0) transpose((const input *)call->inputs[0]->data + t.m0 * k, t.m, k, scratch);
    run_columns(call, scratch, t);
  }
}
