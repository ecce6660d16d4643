/* 64 pixels of four planes, side by side per pixel. */
#ifndef HONED_CONV_U8S8_INTERLEAVE_AVX512_H
#define HONED_CONV_U8S8_INTERLEAVE_AVX512_H

#include "base/x86_bytes_avx512.h"

static inline void interleave(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d, uint8_t *out) {
  bytes split[4];
  bytes_interleave(bytes_load(a), bytes_load(b), bytes_load(c), bytes_load(d), split);
  /* From split order to pixel order: a transposition of 4 x 4 lanes of 128 bits. */
  const bytes t0 = _mm512_shuffle_i32x4(split[0], split[1], 0x44), t1 = _mm512_shuffle_i32x4(split[0], split[1], 0xee);
  const bytes t2 = _mm512_shuffle_i32x4(split[2], split[3], 0x44), t3 = _mm512_shuffle_i32x4(split[2], split[3], 0xee);
  bytes_store(out, _mm512_shuffle_i32x4(t0, t2, 0x88));
  bytes_store(out + 64, _mm512_shuffle_i32x4(t0, t2, 0xdd));
  bytes_store(out + 128, _mm512_shuffle_i32x4(t1, t3, 0x88));
  bytes_store(out + 192, _mm512_shuffle_i32x4(t1, t3, 0xdd));
}

#endif
