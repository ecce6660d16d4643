/* sparse_gemm_u8s8: gemm_u8s8 (gemm/gemm_u8s8.h) with weights by rows (csr.h); a weight outside s8 is several entries.
 * A plan may have them once more, as blocks.h says. */
#ifndef HONED_SPARSE_GEMM_U8S8_H
#define HONED_SPARSE_GEMM_U8S8_H

#include "conv/requantize.h"
#include "csr.h"
#include "gemm/operand.h"

typedef struct honed_sparse_gemm_u8s8 {
  honed_gemm_shape shape;
  honed_csr weights;
  honed_requantize requantize;
  int kernel; /* row of sparse_gemm_u8s8.inc */
} honed_sparse_gemm_u8s8;

#define HONED_SPARSE_GEMM_U8S8(isa, function) void function(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "sparse_gemm_u8s8.inc"
#undef HONED_SPARSE_GEMM_U8S8

#endif
