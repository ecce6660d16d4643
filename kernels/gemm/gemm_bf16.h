/* Matrix products with constant weights in bf16 of f32 activations, which are rounded: gemm_bf16.
 *
 *   y[m][n] = min(max(bias[n] + the products of the pairs x[m][2 k, 2 k + 1] and w[n][2 k, 2 k + 1], lo), hi)
 *
 * in the order of k; base/bf16.h says what the products of a pair are, and that denormal numbers count as zero. The same bits in every
 * variant. A NaN passes the clamp.
 *
 * Packed weights, as u16: [⌈N / 16⌉][⌈K / 2⌉][16][2]; outputs past N and a number past K are 0. */
#ifndef HONED_GEMM_GEMM_BF16_H
#define HONED_GEMM_GEMM_BF16_H

#include "gemm_f32.h"

/* The arguments have packed pairs in w, and room for HONED_GEMM_ROWS rows of ⌈k / 2⌉ pairs in `pairs`. */
#define HONED_GEMM_BF16(isa, symbol) void symbol(const honed_gemm_f32_args *args);
#include "gemm_bf16.inc"
#undef HONED_GEMM_BF16

#endif
