/* The form in which sparse_gemm_u8s8 reads its weights for up to HONED_SPARSE_GEMM_COLUMNS rows of x, where a table of 128 bytes can be
 * looked up (AVX-512 VBMI).
 *
 * Outputs go in groups of 16, one per 32-bit lane, inputs in blocks of 128. What a group has of a block are steps of four entries per
 * output: what an output has fewer of than another one is filled up with weights of 0. Groups, their blocks, and their steps follow each
 * other as they are read. */
#ifndef HONED_SPARSE_GEMM_BLOCKS_H
#define HONED_SPARSE_GEMM_BLOCKS_H

#include "csr.h"

enum { HONED_GEMM_GROUP = 16, HONED_GEMM_INPUTS = 128 };

typedef struct honed_gemm_step {
  uint8_t inputs[HONED_GEMM_GROUP][4]; /* within the block */
  int8_t weights[HONED_GEMM_GROUP][4];
} honed_gemm_step;

typedef struct honed_gemm_blocks {
  int64_t blocks;
  const int32_t *begin; /* [groups * blocks + 1]: where a block's steps begin */
  const honed_gemm_step *steps;
} honed_gemm_blocks;

/* For reshape: sets call->plan; leaves it NULL where filling, or blocks without entries, would be most of it. n > 0. */
honed_status honed_gemm_blocks_create(const honed_csr *weights, int64_t n, int64_t k, honed_call *call, honed_context *ctx);

#endif
