#include "csr.h"

static honed_status check_rows(const int32_t *indptr, int64_t n, int64_t entries, honed_context *ctx) {
  if (indptr[0] != 0 || indptr[n] != entries) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "rows span the entries %d to %d, expected 0 to %lld", indptr[0], indptr[n],
                      (long long)entries);
  }
  for (int64_t i = 0; i < n; i++) {
    if (indptr[i + 1] < indptr[i]) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "row %lld ends before it begins", (long long)i);
  }
  return HONED_OK;
}

honed_status honed_csr_create(const honed_op_spec *spec, int64_t n, int64_t k, honed_dtype values, honed_csr *out, honed_context *ctx) {
  honed_csr w = {0};
  honed_status status = honed_const_get(spec, 0, HONED_S32, n + 1, (const void **)&w.indptr, ctx);
  if (status != HONED_OK) return status;
  const int64_t entries = spec->num_consts > 1 ? honed_tensor_count(&spec->consts[1]) : 0;
  w.wide = spec->num_consts > 1 && spec->consts[1].dtype == HONED_S32;
  status = honed_const_get(spec, 1, w.wide ? HONED_S32 : HONED_U16, entries, &w.indices, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 2, values, entries, &w.values, ctx);
  if (status == HONED_OK) status = check_rows(w.indptr, n, entries, ctx);
  for (int64_t i = 0; i < entries && status == HONED_OK; i++) {
    const int64_t index = honed_csr_index(w.indices, w.wide, i);
    if (index < 0 || index >= k) {
      status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "entry %lld has the index %lld, expected less than %lld", (long long)i,
                          (long long)index, (long long)k);
    }
  }
  *out = w;
  return status;
}

static int64_t output_groups(int64_t n) { return (n + HONED_SPARSE_GEMM_OUTPUTS - 1) / HONED_SPARSE_GEMM_OUTPUTS; }

int64_t honed_sparse_gemm_task_count(int64_t m, int64_t n) {
  return (m + HONED_SPARSE_GEMM_COLUMNS - 1) / HONED_SPARSE_GEMM_COLUMNS * output_groups(n);
}

honed_sparse_gemm_task honed_sparse_gemm_task_at(int64_t m, int64_t n, int64_t task) {
  const int64_t m0 = task / output_groups(n) * HONED_SPARSE_GEMM_COLUMNS, n0 = task % output_groups(n) * HONED_SPARSE_GEMM_OUTPUTS;
  return (honed_sparse_gemm_task){
      .m0 = m0,
      .m = m - m0 < HONED_SPARSE_GEMM_COLUMNS ? m - m0 : HONED_SPARSE_GEMM_COLUMNS,
      .n0 = n0,
      .n1 = n - n0 < HONED_SPARSE_GEMM_OUTPUTS ? n : n0 + HONED_SPARSE_GEMM_OUTPUTS,
  };
}
