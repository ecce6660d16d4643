/* sparse_gemm_f32: gemm_f32 (gemm/gemm_f32.h) with weights by rows (csr.h). Each output is accumulated in the order of its row's entries
 * with fused multiply-adds, from the bias on: the bits of gemm_f32 wherever the entries are in the order of k. */
#ifndef HONED_SPARSE_GEMM_F32_H
#define HONED_SPARSE_GEMM_F32_H

#include "csr.h"
#include "gemm/operand.h"

typedef struct honed_sparse_gemm_f32 {
  honed_gemm_shape shape;
  honed_csr weights;
  const float *bias;
  float lo, hi;
  int kernel; /* row of sparse_gemm_f32.inc */
} honed_sparse_gemm_f32;

#define HONED_SPARSE_GEMM_F32(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "sparse_gemm_f32.inc"
#undef HONED_SPARSE_GEMM_F32

#endif
