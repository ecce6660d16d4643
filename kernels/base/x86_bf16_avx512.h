/* The same as x86_bf16_avx512bf16.h without AVX512_BF16: both numbers of a pair are f32, and the products fused multiply-adds. The bits are
 * the same under x86_flush.h. */
#ifndef HONED_BASE_X86_BF16_AVX512_H
#define HONED_BASE_X86_BF16_AVX512_H

#include "x86_floats_avx512.h"

typedef struct pairs {
  floats even, odd;
} pairs;

static inline pairs pairs_split(__m512i both) {
  const __m512i upper = _mm512_set1_epi32((int32_t)0xffff0000);
  return (pairs){_mm512_castsi512_ps(_mm512_slli_epi32(both, 16)), _mm512_castsi512_ps(_mm512_and_si512(both, upper))};
}
static inline pairs pairs_load(const float *p) { return pairs_split(_mm512_loadu_si512(p)); }
static inline pairs pairs_set1(const float *p) { return pairs_split(_mm512_castps_si512(_mm512_set1_ps(*p))); }
static inline floats pairs_add(floats sum, pairs a, pairs b) { return floats_fma(a.even, b.even, floats_fma(a.odd, b.odd, sum)); }

/* Rounded, in the upper half. */
static inline __m512i bf16_round(floats v) {
  const __m512i bits = _mm512_castps_si512(v), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  const __mmask16 tiny = _mm512_testn_epi32_mask(bits, _mm512_set1_epi32(0x7f800000));
  const __m512i usual = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
  return _mm512_mask_and_epi32(usual, tiny, bits, _mm512_set1_epi32(INT32_MIN));
}
static inline floats pairs_make(floats first, floats second) {
  const __m512i upper = _mm512_set1_epi32((int32_t)0xffff0000);
  return _mm512_castsi512_ps(_mm512_or_si512(_mm512_srli_epi32(bf16_round(first), 16), _mm512_and_si512(bf16_round(second), upper)));
}
static inline void floats_store_bf16(void *out, floats v) {
  _mm256_storeu_si256(out, _mm512_cvtepi32_epi16(_mm512_srli_epi32(bf16_round(v), 16)));
}

#include "x86_bf16_eight.h"

#endif
