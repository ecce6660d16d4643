/* Sparse weights [N, K] by rows (CSR), as constants of sparse_gemm_f32 and sparse_gemm_u8s8:
 *
 *   indptr   s32[N + 1]          row n has the entries indptr[n] ... indptr[n + 1] - 1
 *   indices  u16[nnz] or s32[nnz]  the input of each entry; one input may have several entries in a row
 *   values   f32[nnz] or s8[nnz] */
#ifndef HONED_SPARSE_GEMM_CSR_H
#define HONED_SPARSE_GEMM_CSR_H

#include "base/operator.h"

typedef struct honed_csr {
  const int32_t *indptr;
  const void *indices;
  bool wide; /* s32 indices */
  const void *values;
} honed_csr;

/* Constants 0 to 2, with every index and every boundary checked. */
honed_status honed_csr_create(const honed_op_spec *spec, int64_t n, int64_t k, honed_dtype values, honed_csr *out, honed_context *ctx);

static inline int64_t honed_csr_index(const void *indices, bool wide, int64_t entry) {
  return wide ? ((const int32_t *)indices)[entry] : ((const uint16_t *)indices)[entry];
}

/* A task is some outputs of some rows of x. Where there are several rows, they are transposed first: [K][HONED_SPARSE_GEMM_COLUMNS]. */
enum { HONED_SPARSE_GEMM_OUTPUTS = 64, HONED_SPARSE_GEMM_COLUMNS = 16, HONED_SPARSE_GEMM_FEW = 2 /* rows that are not transposed */ };

typedef struct honed_sparse_gemm_task {
  int64_t m0, m, n0, n1;
} honed_sparse_gemm_task;

int64_t honed_sparse_gemm_task_count(int64_t m, int64_t n);
honed_sparse_gemm_task honed_sparse_gemm_task_at(int64_t m, int64_t n, int64_t task);

#endif
