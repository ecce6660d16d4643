/* The same as x86_bf16_avx512.h for AVX2. */
#ifndef HONED_BASE_X86_BF16_AVX2_H
#define HONED_BASE_X86_BF16_AVX2_H

#include "x86_bf16_eight.h"
#include "x86_floats_avx2.h"

typedef pairs8 pairs;

static inline pairs pairs_load(const float *p) { return pairs8_load(p); }
static inline pairs pairs_set1(const float *p) { return pairs8_set1(p); }
static inline floats pairs_add(floats sum, pairs a, pairs b) { return pairs8_add(sum, a, b); }

/* Rounded, in the upper half. */
static inline __m256i bf16_round(floats v) {
  const __m256i bits = _mm256_castps_si256(v), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
  const __m256i tiny = _mm256_cmpeq_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x7f800000)), _mm256_setzero_si256());
  const __m256i usual = _mm256_blendv_epi8(rounded, _mm256_or_si256(bits, _mm256_set1_epi32(0x400000)), nan);
  return _mm256_blendv_epi8(usual, _mm256_and_si256(bits, _mm256_set1_epi32(INT32_MIN)), tiny);
}
static inline floats pairs_make(floats first, floats second) {
  const __m256i upper = _mm256_set1_epi32((int32_t)0xffff0000);
  return _mm256_castsi256_ps(_mm256_or_si256(_mm256_srli_epi32(bf16_round(first), 16), _mm256_and_si256(bf16_round(second), upper)));
}
static inline void floats_store_bf16(void *out, floats v) {
  const __m256i halves = _mm256_srli_epi32(bf16_round(v), 16);
  _mm_storeu_si128(out, _mm_packus_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1)));
}

#endif
