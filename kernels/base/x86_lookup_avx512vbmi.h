/* y = table[x] of bytes, 64 at a time, with AVX-512 VBMI. */
#ifndef HONED_BASE_X86_LOOKUP_AVX512VBMI_H
#define HONED_BASE_X86_LOOKUP_AVX512VBMI_H

#include "simd_avx512.h"

/* Two permutations look the low seven bits up in either half of the table; the top bit chooses. */
static inline vb lookup_vector(const vb quarters[4], vb x) {
  const vb low = _mm512_permutex2var_epi8(quarters[0], x, quarters[1]);
  const vb high = _mm512_permutex2var_epi8(quarters[2], x, quarters[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

static inline void lookup_bytes(const uint8_t table[256], const uint8_t *x, uint8_t *y, int64_t n) {
  const vb quarters[4] = {vb_load(table), vb_load(table + 64), vb_load(table + 128), vb_load(table + 192)};
  int64_t i = 0;
  for (; i + VB_LANES <= n; i += VB_LANES) vb_store(y + i, lookup_vector(quarters, vb_load(x + i)));
  if (i < n) vb_store_part(y + i, lookup_vector(quarters, vb_load_part(x + i, n - i)), n - i);
}

#endif
