/* 64 pixels of four planes, side by side per pixel. */
#ifndef HONED_CONV_U8S8_INTERLEAVE_AVX2_H
#define HONED_CONV_U8S8_INTERLEAVE_AVX2_H

#include "base/x86_bytes_avx2.h"

static inline void interleave_32(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d, uint8_t *out) {
  bytes split[4];
  bytes_interleave(bytes_load(a), bytes_load(b), bytes_load(c), bytes_load(d), split);
  bytes_store(out, _mm256_permute2x128_si256(split[0], split[1], 0x20));
  bytes_store(out + 32, _mm256_permute2x128_si256(split[2], split[3], 0x20));
  bytes_store(out + 64, _mm256_permute2x128_si256(split[0], split[1], 0x31));
  bytes_store(out + 96, _mm256_permute2x128_si256(split[2], split[3], 0x31));
}

static inline void interleave(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d, uint8_t *out) {
  interleave_32(a, b, c, d, out);
  interleave_32(a + 32, b + 32, c + 32, d + 32, out + 128);
}

#endif
