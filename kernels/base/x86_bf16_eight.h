/* Eight pairs for x86_bf16_avx2.h and x86_bf16_avx512.h. */
#ifndef HONED_BASE_X86_BF16_EIGHT_H
#define HONED_BASE_X86_BF16_EIGHT_H

#include <immintrin.h>

typedef struct pairs8 {
  __m256 even, odd;
} pairs8;

static inline pairs8 pairs8_split(__m256i both) {
  const __m256i upper = _mm256_set1_epi32((int)0xffff0000);
  return (pairs8){_mm256_castsi256_ps(_mm256_slli_epi32(both, 16)), _mm256_castsi256_ps(_mm256_and_si256(both, upper))};
}
static inline pairs8 pairs8_load(const float *p) { return pairs8_split(_mm256_loadu_si256((const __m256i *)p)); }
static inline pairs8 pairs8_set1(const float *p) { return pairs8_split(_mm256_castps_si256(_mm256_broadcast_ss(p))); }
static inline __m256 pairs8_add(__m256 sum, pairs8 a, pairs8 b) {
  return _mm256_fmadd_ps(a.even, b.even, _mm256_fmadd_ps(a.odd, b.odd, sum));
}

#endif
