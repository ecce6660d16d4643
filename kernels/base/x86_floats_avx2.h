/* The same as x86_floats_avx512.h for AVX2: 8 pixels. */
#ifndef HONED_BASE_X86_FLOATS_AVX2_H
#define HONED_BASE_X86_FLOATS_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#include "simd_avx2.h"

enum { FLOATS = 8 };
typedef __m256 floats;

static inline floats floats_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void floats_store(float *p, floats v) { _mm256_storeu_ps(p, v); }
static inline floats floats_set1(float v) { return _mm256_set1_ps(v); }
static inline floats floats_add(floats a, floats b) { return _mm256_add_ps(a, b); }
static inline floats floats_fma(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
static inline floats floats_clamp(floats v, floats lo, floats hi) { return _mm256_min_ps(_mm256_max_ps(v, lo), hi); }
#define floats_between(p, lo, hi, n) floats_load((p) + (n))
static inline __m256 floats_low(floats v) { return v; }
static inline floats floats_keep(uint64_t valid, floats v) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i own = _mm256_and_si256(_mm256_set1_epi32((int32_t)(uint32_t)valid), bit);
  return _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, bit)));
}
#define floats_between_kept(valid, p, lo, hi, n) floats_keep(valid, floats_load((p) + (n)))

#endif
