#include <immintrin.h>

#include "chains.h"

int64_t honed_peak_f32__avx2(int64_t rounds) {
  __m256 acc[HONED_PEAK_CHAINS];
  for (int i = 0; i < HONED_PEAK_CHAINS; i++) acc[i] = _mm256_setzero_ps();
  const __m256 a = _mm256_set1_ps(1.5f), b = _mm256_set1_ps(0.25f);
#define STEP(x) __asm__ volatile("vfmadd231ps %1, %2, %0" : "+x"(x) : "x"(a), "x"(b));
  HONED_PEAK_LOOP(rounds, acc, STEP)
#undef STEP
  return rounds * HONED_PEAK_CHAINS * 8;
}

/* Pairs of products are added in 16 bits, then pairs of those (conv/pairs.h). */
int64_t honed_peak_u8s8__avx2(int64_t rounds) {
  __m256i acc[HONED_PEAK_CHAINS], sum;
  for (int i = 0; i < HONED_PEAK_CHAINS; i++) acc[i] = _mm256_setzero_si256();
  const __m256i a = _mm256_set1_epi8(100), b = _mm256_set1_epi8(-3), ones = _mm256_set1_epi16(1);
#define STEP(x) \
  __asm__ volatile("vpmaddubsw %3, %2, %1\n\tvpmaddwd %4, %1, %1\n\tvpaddd %1, %0, %0" : "+x"(x), "=&x"(sum) : "x"(a), "x"(b), "x"(ones));
  HONED_PEAK_LOOP(rounds, acc, STEP)
#undef STEP
  return rounds * HONED_PEAK_CHAINS * 32;
}

void honed_peak_load__avx2(const void *data, size_t bytes, int64_t passes) {
  for (int64_t pass = 0; pass < passes; pass++) {
    for (const char *p = data, *end = p + bytes; p < end; p += 256) {
#define LOAD(i) __asm__ volatile("vmovups %0, %%ymm0" : : "m"(*(const char (*)[32])(p + 32 * (i))) : "xmm0");
      HONED_UNROLL8(i, LOAD(i))
#undef LOAD
    }
  }
}
