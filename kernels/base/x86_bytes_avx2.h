/* The same as x86_bytes_avx512.h for AVX2: 32 pixels. */
#ifndef HONED_BASE_X86_BYTES_AVX2_H
#define HONED_BASE_X86_BYTES_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#include "simd_avx2.h"

enum { PIXELS = 32, LANES = 2 };
typedef __m256i bytes;
typedef __m256i ints;
typedef __m256 floats;

static inline bytes bytes_load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline bytes bytes_load_once(const uint8_t *p) {
  bytes v = bytes_load(p);
  __asm__("" : "+x"(v));
  return v;
}
static inline void bytes_store(uint8_t *p, bytes v) { _mm256_storeu_si256((__m256i *)p, v); }
static inline void bytes_store_first(uint8_t *p, bytes v, int64_t count) {
  if (count >= 32) {
    bytes_store(p, v);
  } else {
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(v));
  }
}
static inline bytes bytes_unpack_lo(bytes a, bytes b) { return _mm256_unpacklo_epi8(a, b); }
static inline bytes bytes_unpack_hi(bytes a, bytes b) { return _mm256_unpackhi_epi8(a, b); }
static inline bytes bytes_set1(uint8_t v) { return _mm256_set1_epi8((char)v); }
static inline bytes bytes_blend(uint64_t valid, bytes v, bytes fill) {
  /* Bit i of `valid` to byte i: every byte gets its word's byte, then tests its own bit. */
  const bytes spread = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
  const bytes bit = _mm256_set1_epi64x((int64_t)0x8040201008040201);
  const bytes own = _mm256_and_si256(_mm256_shuffle_epi8(_mm256_set1_epi32((int32_t)(uint32_t)valid), spread), bit);
  return _mm256_blendv_epi8(fill, v, _mm256_cmpeq_epi8(own, bit));
}

static inline void bytes_interleave(bytes a, bytes b, bytes c, bytes d, bytes out[4]) {
  const bytes ab_lo = _mm256_unpacklo_epi8(a, b), ab_hi = _mm256_unpackhi_epi8(a, b);
  const bytes cd_lo = _mm256_unpacklo_epi8(c, d), cd_hi = _mm256_unpackhi_epi8(c, d);
  out[0] = _mm256_unpacklo_epi16(ab_lo, cd_lo);
  out[1] = _mm256_unpackhi_epi16(ab_lo, cd_lo);
  out[2] = _mm256_unpacklo_epi16(ab_hi, cd_hi);
  out[3] = _mm256_unpackhi_epi16(ab_hi, cd_hi);
}
static inline bytes bytes_places(char a, char b, char c) {
  const __m128i one = _mm_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const __m128i four = _mm_add_epi8(one, _mm_set1_epi32(a << 8 | b << 16 | c << 24));
  return _mm256_broadcastsi128_si256(four);
}
static inline bytes bytes_windows(const uint8_t *p, int j, bytes places) { return _mm256_shuffle_epi8(bytes_load(p + 4 * j), places); }
static inline __m256i bytes_add_pairs(__m256i acc, bytes a, bytes b) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)));
}
static inline void bytes_widen(bytes v, ints out[4]) {
  const bytes zero = _mm256_setzero_si256();
  const bytes lo = _mm256_unpacklo_epi8(v, zero), hi = _mm256_unpackhi_epi8(v, zero);
  out[0] = _mm256_unpacklo_epi16(lo, zero);
  out[1] = _mm256_unpackhi_epi16(lo, zero);
  out[2] = _mm256_unpacklo_epi16(hi, zero);
  out[3] = _mm256_unpackhi_epi16(hi, zero);
}
static inline bytes bytes_pack(const ints v[4], int32_t shift) {
  const bytes shifts = _mm256_set1_epi16((int16_t)shift);
  return _mm256_packus_epi16(_mm256_adds_epi16(_mm256_packs_epi32(v[0], v[1]), shifts),
                             _mm256_adds_epi16(_mm256_packs_epi32(v[2], v[3]), shifts));
}

static inline ints ints_set1(int32_t v) { return _mm256_set1_epi32(v); }
static inline floats ints_to_floats(ints v) { return _mm256_cvtepi32_ps(v); }
static inline ints floats_to_ints(floats v) { return _mm256_cvtps_epi32(v); }
static inline ints ints_clamp(ints v, ints lo, ints hi) { return _mm256_min_epi32(_mm256_max_epi32(v, lo), hi); }
static inline ints floats_bits(floats v) { return _mm256_castps_si256(v); }
static inline floats bits_floats(ints v) { return _mm256_castsi256_ps(v); }
static inline ints ints_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline void ints_store(int32_t *p, ints v) { _mm256_storeu_si256((__m256i *)p, v); }

static inline floats floats_load(const float *p) { return _mm256_loadu_ps(p); }
static inline floats floats_set1(float v) { return _mm256_set1_ps(v); }
static inline floats floats_set1_opaque(float v) {
  floats f = _mm256_set1_ps(v);
  __asm__("" : "+x"(f));
  return f;
}
static inline floats floats_add(floats a, floats b) { return _mm256_add_ps(a, b); }
static inline floats floats_fma(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
static inline floats floats_clamp(floats v, floats lo, floats hi) { return _mm256_min_ps(_mm256_max_ps(v, lo), hi); }
static inline void floats_join(floats v[4]) {
  const floats a = v[0], b = v[1], c = v[2], d = v[3];
  v[0] = _mm256_permute2f128_ps(a, b, 0x20);
  v[1] = _mm256_permute2f128_ps(c, d, 0x20);
  v[2] = _mm256_permute2f128_ps(a, b, 0x31);
  v[3] = _mm256_permute2f128_ps(c, d, 0x31);
}
static inline floats floats_where(uint64_t bits, floats v) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i own = _mm256_and_si256(_mm256_set1_epi32((int32_t)(uint32_t)bits), bit);
  return _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, bit)));
}
static inline void floats_store(float *p, floats v) { _mm256_storeu_ps(p, v); }

#endif
