/* 16 pixels of s32 in one AVX-512 register, for the tiles of x86_avx512.c and x86_avx512vnni.c. */
#ifndef HONED_CONV_U8S8_TILE_AVX512_H
#define HONED_CONV_U8S8_TILE_AVX512_H

#include "base/x86_bytes_avx512.h"
#include "conv_u8s8.h"

typedef honed_conv_u8s8 params;
typedef __m512i sums;

static inline sums sums_init(const params *p, int64_t oc) { return _mm512_set1_epi32(p->requantize.init[oc]); }

static inline floats sums_scale(const honed_requantize *r, int64_t oc, sums acc) {
  return floats_fma(ints_to_floats(acc), floats_set1(r->scale[oc]), floats_set1(r->offset[oc]));
}

static inline void store_u8(const honed_requantize *r, int64_t oc, sums acc, const uint8_t *residual, uint32_t valid, uint8_t fill,
                                 uint8_t *out) {
  floats q = sums_scale(r, oc, acc);
  if (residual != NULL) {
    q = floats_round(floats_clamp(q, floats_set1(r->clamp_lo), floats_set1(r->clamp_hi)));
    const floats other = ints_to_floats(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)residual)));
    const floats rest = floats_fma(other, floats_set1(r->residual_scale), floats_set1(r->sum_offset));
    q = floats_clamp(floats_fma(q, floats_set1(r->sum_scale), rest), floats_set1(r->sum_lo), floats_set1(r->sum_hi));
  } else {
    q = floats_clamp(q, floats_set1(r->clamp_lo), floats_set1(r->clamp_hi));
  }
  const __m128i y = _mm512_cvtepi32_epi8(floats_to_ints(q));
  _mm_storeu_si128((__m128i *)out, _mm_mask_mov_epi8(_mm_set1_epi8((char)fill), (__mmask16)valid, y));
}

static inline void store_f32(const honed_requantize *r, int64_t oc, sums acc, uint32_t valid, float *out) {
  const floats y = floats_clamp(sums_scale(r, oc, acc), floats_set1(r->clamp_lo), floats_set1(r->clamp_hi));
  floats_store(out, _mm512_maskz_mov_ps((__mmask16)valid, y));
}

static inline void sums_store(const params *p, int64_t oc, sums acc, const void *residual, uint32_t valid, const honed_tensor *y, void *out) {
  if (y->dtype == HONED_F32) {
    store_f32(&p->requantize, oc, acc, valid, out);
  } else {
    store_u8(&p->requantize, oc, acc, residual, valid, y->zero_point, out);
  }
}

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
