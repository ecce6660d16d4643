/* Vectors for gemm_f32_tile.h (which says what every name means) with AVX-512. */
#ifndef HONED_GEMM_GEMM_VEC_AVX512_H
#define HONED_GEMM_GEMM_VEC_AVX512_H

#include <immintrin.h>

#include "gemm_f32.h"

typedef __m512 vec;
enum { LANES = 16, ROWS = HONED_GEMM_ROWS, ACCUMULATORS = 24 };
#define WIDE_ROWS 6

static inline vec splat(float value) { return _mm512_set1_ps(value); }
static inline vec load(const float *p) { return _mm512_loadu_ps(p); }
/* maxps and minps return their second operand where one is a NaN. */
static inline vec clamp(vec v, float lo, float hi) { return _mm512_min_ps(splat(hi), _mm512_max_ps(splat(lo), v)); }

static inline __mmask16 first(long long n) { return n >= LANES ? 0xFFFF : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }
static inline vec load_n(const float *p, long long n) { return _mm512_maskz_loadu_ps(first(n), p); }
static inline void store_n(float *p, vec v, long long n) { _mm512_mask_storeu_ps(p, first(n), v); }

#endif
