#include <immintrin.h>

#include "chains.h"

int64_t honed_peak_f32__avx512(int64_t rounds) {
  __m512 acc[HONED_PEAK_CHAINS];
  for (int i = 0; i < HONED_PEAK_CHAINS; i++) acc[i] = _mm512_setzero_ps();
  const __m512 a = _mm512_set1_ps(1.5f), b = _mm512_set1_ps(0.25f);
#define STEP(x) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+v"(x) : "v"(a), "v"(b));
  HONED_PEAK_LOOP(rounds, acc, STEP)
#undef STEP
  return rounds * HONED_PEAK_CHAINS * 16;
}

/* As with AVX2. */
int64_t honed_peak_u8s8__avx512(int64_t rounds) {
  __m512i acc[HONED_PEAK_CHAINS], sum;
  for (int i = 0; i < HONED_PEAK_CHAINS; i++) acc[i] = _mm512_setzero_si512();
  const __m512i a = _mm512_set1_epi8(100), b = _mm512_set1_epi8(-3), ones = _mm512_set1_epi16(1);
#define STEP(x) \
  __asm__ volatile("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0" : "+v"(x), "=&v"(sum) : "v"(a), "v"(b), "v"(ones));
  HONED_PEAK_LOOP(rounds, acc, STEP)
#undef STEP
  return rounds * HONED_PEAK_CHAINS * 64;
}

void honed_peak_load__avx512(const void *data, size_t bytes, int64_t passes) {
  for (int64_t pass = 0; pass < passes; pass++) {
    for (const char *p = data, *end = p + bytes; p < end; p += 512) {
#define LOAD(i) __asm__ volatile("vmovups %0, %%zmm0" : : "m"(*(const char (*)[64])(p + 64 * (i))) : "xmm0");
      HONED_UNROLL8(i, LOAD(i))
#undef LOAD
    }
  }
}
