/* Pairs of bf16 for kernels that are written once for all vector widths: base/bf16.h has the arithmetic. FLOATS pairs at a time, and eight.
 *
 * Inline assembly, because GCC 12 surrounds the intrinsic with register moves and spills the accumulators of a full tile. */
#ifndef HONED_BASE_X86_BF16_AVX512BF16_H
#define HONED_BASE_X86_BF16_AVX512BF16_H

#include "x86_floats_avx512.h"

typedef __m512 pairs;
typedef __m256 pairs8;

/* Pairs are read as they lie in memory, one behind the other, or one is broadcast. */
static inline pairs pairs_load(const float *p) { return _mm512_loadu_ps(p); }
static inline pairs pairs_set1(const float *p) { return _mm512_set1_ps(*p); }
static inline pairs8 pairs8_load(const float *p) { return _mm256_loadu_ps(p); }
static inline pairs8 pairs8_set1(const float *p) { return _mm256_broadcast_ss(p); }

/* sum + the products of two pairs. */
static inline floats pairs_add(floats sum, pairs a, pairs b) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
static inline __m256 pairs8_add(__m256 sum, pairs8 a, pairs8 b) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

/* Pairs of the FLOATS numbers of two planes. */
static inline pairs pairs_make(floats first, floats second) {
  const __m512i places = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3,
                                          18, 2, 17, 1, 16, 0);
  return _mm512_castsi512_ps(_mm512_permutexvar_epi16(places, (__m512i)_mm512_cvtne2ps_pbh(second, first)));
}
/* FLOATS numbers, rounded. */
static inline void floats_store_bf16(void *out, floats v) { _mm256_storeu_si256(out, (__m256i)_mm512_cvtneps_pbh(v)); }

#endif
