/* gemm_u8s8: u8 activations times s8 weights (constant, symmetric per output), exact in s32, requantised.
 *
 *   acc[m][n] = init[n] + Σ_k x[m][k] * w[n][k]           modulo 2^32
 *   y[m][n]   = acc[m][n] requantised to u8 or f32 (conv/requantize.h)
 *
 * Packed weights, the same for every instruction set: [passes][⌈N / 16⌉][⌈K / 4⌉][16][4], 16 outputs side by side, of each four inputs;
 * what lies past N or K is 0. One pass holds s8. Where weights lie outside, they are the sum over the passes. */
#ifndef HONED_GEMM_GEMM_U8S8_H
#define HONED_GEMM_GEMM_U8S8_H

#include <stdint.h>

#include "conv/requantize.h"
#include "gemm_f32.h" /* HONED_GEMM_PANEL */

enum { HONED_GEMM_U8S8_MAX_PASSES = 8 };

/* Up to HONED_GEMM_PANEL outputs of m rows. Units are elements. y does not overlap the operands. No over-read, no over-write. */
typedef struct honed_gemm_u8s8_args {
  const uint8_t *x; /* m rows of k, ldx apart */
  int64_t m, k, ldx;
  const int8_t *w; /* the panel's packed blocks of the first pass, one behind the other */
  int64_t passes, pass_stride;
  const honed_requantize *requantize;
  int64_t channel; /* of the first output, in `requantize` */
  void *y;         /* u8 or f32: m rows of n, ldy apart */
  bool y_is_f32;
  int64_t n, ldy; /* 1 <= n <= HONED_GEMM_PANEL */
} honed_gemm_u8s8_args;

typedef void (*honed_gemm_u8s8_fn)(const honed_gemm_u8s8_args *args);

typedef struct honed_gemm_u8s8_variant {
  honed_isa isa;
  const char *name;
  honed_gemm_u8s8_fn fn;
} honed_gemm_u8s8_variant;

#define HONED_GEMM_U8S8(isa, symbol) void symbol(const honed_gemm_u8s8_args *args);
#include "gemm_u8s8.inc"
#undef HONED_GEMM_U8S8

#endif
