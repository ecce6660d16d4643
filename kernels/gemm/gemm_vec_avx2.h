/* The same as gemm_vec_avx512.h for AVX2. */
#ifndef HONED_GEMM_GEMM_VEC_AVX2_H
#define HONED_GEMM_GEMM_VEC_AVX2_H

#include <immintrin.h>

#include "gemm_f32.h"

typedef __m256 vec;
enum { LANES = 8, ROWS = HONED_GEMM_ROWS, ACCUMULATORS = 12 };
#define WIDE_ROWS 1

static inline vec splat(float value) { return _mm256_set1_ps(value); }
static inline vec load(const float *p) { return _mm256_loadu_ps(p); }
/* maxps and minps return their second operand where one is a NaN. */
static inline vec clamp(vec v, float lo, float hi) { return _mm256_min_ps(splat(hi), _mm256_max_ps(splat(lo), v)); }

static inline __m256i first(long long n) {
  const int count = n >= LANES ? LANES : n <= 0 ? 0 : (int)n;
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vec load_n(const float *p, long long n) { return _mm256_maskload_ps(p, first(n)); }
static inline void store_n(float *p, vec v, long long n) { _mm256_maskstore_ps(p, first(n), v); }

#endif
