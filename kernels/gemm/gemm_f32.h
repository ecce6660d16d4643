/* Matrix products in f32: gemm_f32 (constant weights) and matmul_f32 (two activations).
 *
 *   y[m][n] = min(max(bias[n] + Σ_k x[m][k] * w[n][k], lo), hi)       accumulated in the order of k with fused multiply-adds
 *
 * so that every variant gives the same bits. A NaN passes the clamp.
 *
 * Packed weights, the same for every instruction set: [⌈N / 16⌉][K][16], 16 outputs side by side; outputs past N are 0. */
#ifndef HONED_GEMM_GEMM_F32_H
#define HONED_GEMM_GEMM_F32_H

#include <stdint.h>

#include "base/operator.h"

enum {
  HONED_GEMM_BLOCK = 16,                   /* outputs side by side in packed weights */
  HONED_GEMM_PANEL = 4 * HONED_GEMM_BLOCK, /* most outputs of one kernel call */
  HONED_GEMM_ROWS = 6,                     /* most rows of a tile */
};

/* Up to HONED_GEMM_PANEL outputs of m rows. Units are elements. y does not overlap the operands. No over-read, no over-write. */
typedef struct honed_gemm_f32_args {
  const float *x; /* m rows of k, ldx apart */
  int64_t m, k, ldx;
  const float *w;    /* the panel's packed blocks, one behind the other */
  const float *bias; /* n values, or NULL: 0 */
  float *y;          /* m rows of n, ldy apart */
  int64_t n, ldy;    /* 1 <= n <= HONED_GEMM_PANEL */
  float lo, hi;
  float *pairs; /* for gemm_bf16.h */
} honed_gemm_f32_args;

typedef void (*honed_gemm_f32_fn)(const honed_gemm_f32_args *args);

typedef struct honed_gemm_f32_variant {
  honed_isa isa;
  const char *name;
  honed_gemm_f32_fn fn;
} honed_gemm_f32_variant;

#define HONED_GEMM_F32(isa, symbol) void symbol(const honed_gemm_f32_args *args);
#include "gemm_f32.inc"
#undef HONED_GEMM_F32

/* The first variant that `isa` contains. */
const honed_gemm_f32_variant *honed_gemm_f32_select(honed_isa isa);

#endif
