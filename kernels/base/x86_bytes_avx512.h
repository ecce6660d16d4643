/* Vectors of u8 pixels, and their s32 and f32 forms, for kernels that are written once for all vector widths (AVX-512: 64 pixels).
 *
 * One vector of pixels is four vectors of 32-bit values in *split order*: unpacking works within 128-bit lanes, so lane l of vector j
 * holds the pixels 16 l + 4 j ... 16 l + 4 j + 3. interleave, widen and pack all keep to it, and pack restores pixel order. */
#ifndef HONED_BASE_X86_BYTES_AVX512_H
#define HONED_BASE_X86_BYTES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#include "simd_avx512.h"

enum { PIXELS = 64, LANES = 4 };
typedef __m512i bytes;
typedef __m512i ints;
typedef __m512 floats;

static inline bytes bytes_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
/* Keeps the compiler from reading memory again wherever the vector is used: what crosses a cache line is dear. */
static inline bytes bytes_load_once(const uint8_t *p) {
  bytes v = bytes_load(p);
  __asm__("" : "+v"(v));
  return v;
}
static inline void bytes_store(uint8_t *p, bytes v) { _mm512_storeu_si512(p, v); }
/* The first `count` bytes, a multiple of 16, or all. */
static inline void bytes_store_first(uint8_t *p, bytes v, int64_t count) {
  _mm512_mask_storeu_epi8(p, count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << count) - 1, v);
}
static inline bytes bytes_unpack_lo(bytes a, bytes b) { return _mm512_unpacklo_epi8(a, b); }
static inline bytes bytes_unpack_hi(bytes a, bytes b) { return _mm512_unpackhi_epi8(a, b); }
static inline bytes bytes_set1(uint8_t v) { return _mm512_set1_epi8((char)v); }
/* Pixels whose bit is set in `valid`, `fill` elsewhere. */
static inline bytes bytes_blend(uint64_t valid, bytes v, bytes fill) { return _mm512_mask_mov_epi8(fill, valid, v); }

/* Four planes to four vectors of (a, b, c, d) side by side per pixel, in split order. */
static inline void bytes_interleave(bytes a, bytes b, bytes c, bytes d, bytes out[4]) {
  const bytes ab_lo = _mm512_unpacklo_epi8(a, b), ab_hi = _mm512_unpackhi_epi8(a, b);
  const bytes cd_lo = _mm512_unpacklo_epi8(c, d), cd_hi = _mm512_unpackhi_epi8(c, d);
  out[0] = _mm512_unpacklo_epi16(ab_lo, cd_lo);
  out[1] = _mm512_unpackhi_epi16(ab_lo, cd_lo);
  out[2] = _mm512_unpacklo_epi16(ab_hi, cd_hi);
  out[3] = _mm512_unpackhi_epi16(ab_hi, cd_hi);
}
/* The same of 32 pixels at each of a, b, c and d, into the lower halves; the upper ones are undefined. */
static inline void bytes_interleave_half(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d, bytes out[4]) {
  __m256i plane[4] = {_mm256_loadu_si256((const __m256i *)a), _mm256_loadu_si256((const __m256i *)b),
                      _mm256_loadu_si256((const __m256i *)c), _mm256_loadu_si256((const __m256i *)d)};
  __asm__("" : "+v"(plane[0]), "+v"(plane[1]), "+v"(plane[2]), "+v"(plane[3])); /* as in bytes_load_once */
  const __m256i ab_lo = _mm256_unpacklo_epi8(plane[0], plane[1]), ab_hi = _mm256_unpackhi_epi8(plane[0], plane[1]);
  const __m256i cd_lo = _mm256_unpacklo_epi8(plane[2], plane[3]), cd_hi = _mm256_unpackhi_epi8(plane[2], plane[3]);
  out[0] = _mm512_castsi256_si512(_mm256_unpacklo_epi16(ab_lo, cd_lo));
  out[1] = _mm512_castsi256_si512(_mm256_unpackhi_epi16(ab_lo, cd_lo));
  out[2] = _mm512_castsi256_si512(_mm256_unpacklo_epi16(ab_hi, cd_hi));
  out[3] = _mm512_castsi256_si512(_mm256_unpackhi_epi16(ab_hi, cd_hi));
}
/* For bytes_windows: the order 0, a, b, c. */
static inline bytes bytes_places(char a, char b, char c) {
  const __m128i one = _mm_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const __m128i four = _mm_add_epi8(one, _mm_set1_epi32(a << 8 | b << 16 | c << 24));
  return _mm512_broadcast_i32x4(four);
}
/* Of each pixel of split vector j, the four pixels that begin with it in the row at p, each four in the order of `places`. */
static inline bytes bytes_windows(const uint8_t *p, int j, bytes places) {
  return _mm512_shuffle_epi8(_mm512_loadu_si512(p + 4 * j), places);
}
/* Adds four products each, of u8 and s8: the sum of the first two and that of the last two must fit in 16 bits. */
static inline __m512i bytes_add_pairs(__m512i acc, bytes a, bytes b) {
  return _mm512_add_epi32(acc, _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), _mm512_set1_epi16(1)));
}
/* u8 to s32, in split order. */
static inline void bytes_widen(bytes v, ints out[4]) {
  const __m128i first = _mm_setr_epi8(0, -1, -1, -1, 1, -1, -1, -1, 2, -1, -1, -1, 3, -1, -1, -1);
  for (int j = 0; j < 4; j++) {
    const __m128i places = _mm_add_epi8(first, _mm_setr_epi32(4 * j, 4 * j, 4 * j, 4 * j));
    out[j] = _mm512_shuffle_epi8(v, _mm512_broadcast_i32x4(places));
  }
}
/* s32 in split order, plus `shift` (0 to 255), to u8 in pixel order, saturating. */
static inline bytes bytes_pack(const ints v[4], int32_t shift) {
  const bytes shifts = _mm512_set1_epi16((int16_t)shift);
  return _mm512_packus_epi16(_mm512_adds_epi16(_mm512_packs_epi32(v[0], v[1]), shifts),
                             _mm512_adds_epi16(_mm512_packs_epi32(v[2], v[3]), shifts));
}

static inline ints ints_set1(int32_t v) { return _mm512_set1_epi32(v); }
static inline floats ints_to_floats(ints v) { return _mm512_cvtepi32_ps(v); }
/* Ties to even. */
static inline ints floats_to_ints(floats v) { return _mm512_cvtps_epi32(v); }
static inline ints ints_clamp(ints v, ints lo, ints hi) { return _mm512_min_epi32(_mm512_max_epi32(v, lo), hi); }
static inline ints floats_bits(floats v) { return _mm512_castps_si512(v); }
static inline floats bits_floats(ints v) { return _mm512_castsi512_ps(v); }
static inline ints ints_load(const void *p) { return _mm512_loadu_si512(p); }
static inline void ints_store(int32_t *p, ints v) { _mm512_storeu_si512(p, v); }

static inline floats floats_load(const float *p) { return _mm512_loadu_ps(p); }
static inline floats floats_set1(float v) { return _mm512_set1_ps(v); }
/* The same, a secret to the compiler, which knows what can be left out where v is 0 or 1. */
static inline floats floats_set1_opaque(float v) {
  floats f = _mm512_set1_ps(v);
  __asm__("" : "+v"(f));
  return f;
}
static inline floats floats_add(floats a, floats b) { return _mm512_add_ps(a, b); }
static inline floats floats_fma(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
static inline floats floats_clamp(floats v, floats lo, floats hi) { return _mm512_min_ps(_mm512_max_ps(v, lo), hi); }
/* From split order to pixel order: lane l of vector j becomes lane j of vector l. */
static inline void floats_join(floats v[4]) {
  const floats lo01 = _mm512_shuffle_f32x4(v[0], v[1], 0x44), hi01 = _mm512_shuffle_f32x4(v[0], v[1], 0xee);
  const floats lo23 = _mm512_shuffle_f32x4(v[2], v[3], 0x44), hi23 = _mm512_shuffle_f32x4(v[2], v[3], 0xee);
  v[0] = _mm512_shuffle_f32x4(lo01, lo23, 0x88);
  v[1] = _mm512_shuffle_f32x4(lo01, lo23, 0xdd);
  v[2] = _mm512_shuffle_f32x4(hi01, hi23, 0x88);
  v[3] = _mm512_shuffle_f32x4(hi01, hi23, 0xdd);
}
/* 0 where the bit is clear. */
static inline floats floats_where(uint64_t bits, floats v) { return _mm512_maskz_mov_ps((__mmask16)bits, v); }
static inline void floats_store(float *p, floats v) { _mm512_storeu_ps(p, v); }

#endif
