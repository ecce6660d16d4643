#include <immintrin.h>

#include "chains.h"

int64_t honed_peak_u8s8__avx512vnni(int64_t rounds) {
  __m512i acc[HONED_PEAK_CHAINS];
  for (int i = 0; i < HONED_PEAK_CHAINS; i++) acc[i] = _mm512_setzero_si512();
  const __m512i a = _mm512_set1_epi8(100), b = _mm512_set1_epi8(-3);
#define STEP(x) __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(x) : "v"(a), "v"(b));
  HONED_PEAK_LOOP(rounds, acc, STEP)
#undef STEP
  return rounds * HONED_PEAK_CHAINS * 64;
}
