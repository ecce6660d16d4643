/* The loops of the sparse products, once. A file that includes this defines before
 *   gemm_params               the operator's, with `shape` and `weights`
 *   input, weight, number     what x, the values and the sums are
 *   multiply_add(w, x, sum)
 *   numbers                   a vector of VF_LANES numbers, with set_all, load_all, store_all and multiply_add_all
 *   start(p, n)               what the sum of output n starts from
 *   finish(call, m, n, sum)   writes output n of row m */
#include "csr.h"

/* Weight rows that are accumulated side by side: each alone would wait for its last sum. */
enum { SIDE_BY_SIDE = 4, FETCHED = 16, VECS = HONED_SPARSE_GEMM_COLUMNS / VF_LANES };

/* Entries that each of `rows` weight rows from n on has. */
static inline int32_t common_entries(const int32_t *indptr, int rows) {
  int32_t common = INT32_MAX;
  for (int r = 0; r < rows; r++) common = indptr[r + 1] - indptr[r] < common ? indptr[r + 1] - indptr[r] : common;
  return common;
}

/* Entries of the rows that come next: as many as SIDE_BY_SIDE rows take FETCHED of. Weights are read once and come from far, and rows are
 * too short for a processor to see where they go. */
static inline void fetch_entries(const honed_csr *weights, int64_t first, bool wide) {
  /* Integers: what is fetched may lie behind the last entry. */
  const uintptr_t values = (uintptr_t)weights->values + (uintptr_t)first * sizeof(weight);
  const uintptr_t indices = (uintptr_t)weights->indices + (uintptr_t)first * (wide ? 4 : 2);
  for (uintptr_t at = 0; at < FETCHED * SIDE_BY_SIDE * sizeof(weight); at += 64) __builtin_prefetch((const void *)(values + at));
  for (uintptr_t at = 0; at < FETCHED * SIDE_BY_SIDE * (wide ? 4u : 2u); at += 64) __builtin_prefetch((const void *)(indices + at));
}

/* Adds the entries [0, count) of SIDE_BY_SIDE weight rows, of which the r-th begins with the entry begin[r], to sums. */
static inline __attribute__((always_inline)) void add_side_by_side(const honed_csr *weights, const int32_t *begin, int64_t count, bool wide,
                                                                   const input *x, number *sums) {
  const weight *values = (const weight *)weights->values;
  const weight *v0 = values + begin[0], *v1 = values + begin[1], *v2 = values + begin[2], *v3 = values + begin[3];
  const int64_t i1 = begin[1] - begin[0], i2 = begin[2] - begin[0], i3 = begin[3] - begin[0];
  const void *indices = wide ? (const void *)((const int32_t *)weights->indices + begin[0]) : (const uint16_t *)weights->indices + begin[0];
  number a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  for (int64_t i = 0; i < count;) {
    fetch_entries(weights, begin[SIDE_BY_SIDE] + SIDE_BY_SIDE * i, wide);
    for (const int64_t stop = i + FETCHED < count ? i + FETCHED : count; i < stop; i++) {
      a = multiply_add(v0[i], x[honed_csr_index(indices, wide, i)], a);
      b = multiply_add(v1[i], x[honed_csr_index(indices, wide, i + i1)], b);
      c = multiply_add(v2[i], x[honed_csr_index(indices, wide, i + i2)], c);
      d = multiply_add(v3[i], x[honed_csr_index(indices, wide, i + i3)], d);
    }
  }
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

/* Functions of their own, so that each has the registers to itself. */
static __attribute__((noinline)) void add_narrow(const honed_csr *weights, const int32_t *begin, int64_t count, const input *x,
                                                 number *sums) {
  add_side_by_side(weights, begin, count, false, x, sums);
}

static __attribute__((noinline)) void add_wide(const honed_csr *weights, const int32_t *begin, int64_t count, const input *x,
                                               number *sums) {
  add_side_by_side(weights, begin, count, true, x, sums);
}

/* Outputs n to n + rows - 1 of row m; rows: 1 or SIDE_BY_SIDE. */
static void dot(const honed_call *call, int64_t m, int64_t n, int rows) {
  const gemm_params *p = call->params;
  const input *x = (const input *)call->inputs[0]->data + m * p->shape.k;
  const int32_t *begin = p->weights.indptr + n;
  const int64_t common = rows == SIDE_BY_SIDE ? common_entries(begin, rows) : 0;
  number sums[SIDE_BY_SIDE];
  for (int r = 0; r < rows; r++) sums[r] = start(p, n + r);
  if (rows == SIDE_BY_SIDE) (p->weights.wide ? add_wide : add_narrow)(&p->weights, begin, common, x, sums);
  for (int r = 0; r < rows; r++) {
    for (int64_t e = begin[r] + common; e < begin[r + 1]; e++) {
      sums[r] = multiply_add(((const weight *)p->weights.values)[e], x[honed_csr_index(p->weights.indices, p->weights.wide, e)], sums[r]);
    }
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

static void run_few(const honed_call *call, honed_sparse_gemm_task t) {
  for (int64_t m = t.m0; m < t.m0 + t.m; m++) {
    int64_t n = t.n0;
    for (; n + SIDE_BY_SIDE <= t.n1; n += SIDE_BY_SIDE) dot(call, m, n, SIDE_BY_SIDE);
    for (; n < t.n1; n++) dot(call, m, n, 1);
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
      run_few(call, t);
      continue;
    }
    if (task == begin || t.n0 == 0) transpose((const input *)call->inputs[0]->data + t.m0 * k, t.m, k, scratch);
    run_columns(call, scratch, t);
  }
}
