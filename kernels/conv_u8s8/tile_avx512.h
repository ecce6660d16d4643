/* 16 pixels of s32 in one AVX-512 register, for the tiles of x86_avx512.c and x86_avx512vnni.c. */
#ifndef HONED_CONV_U8S8_TILE_AVX512_H
#define HONED_CONV_U8S8_TILE_AVX512_H

#include "base/unroll.h"
#include "base/x86_bytes_avx512.h"
#include "conv/requantize_bytes.h"
#include "conv_u8s8.h"
#include "interleave_avx512.h"

typedef honed_conv_u8s8 params;
typedef __m512i sums;

static inline sums sums_init(const params *p, int64_t oc) { return _mm512_set1_epi32(p->requantize.init[oc]); }

/* Sums to their rounded results, less the zero point, with an activation. */
static __attribute__((noinline)) void requantize_gated(const honed_requantize *r, floats scale, floats offset, sums v[4]) {
  requantize_gated_ints(r, (floats[2]){scale, scale}, (floats[2]){offset, offset}, v, 3, v);
}

/* The u8 results of up to three vectors, in s32: less the zero point without a residual. */
static inline void quantize_row(const honed_requantize *r, int64_t oc, const sums *acc, int vectors, const uint8_t *residual, sums q[4]) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  if (r->gate.kind != HONED_GATE_NONE) {
    sums copy[4] = {acc[0], acc[vectors > 1 ? 1 : 0], acc[vectors > 2 ? 2 : 0], acc[0]};
    requantize_gated(r, scale, offset, copy);
    HONED_UNROLL3(v, if (v < vectors) q[v] = copy[v];)
    return;
  }
  if (residual == NULL && r->saturates) {
    HONED_UNROLL3(v, if (v < vectors) q[v] = floats_to_ints(floats_fma(ints_to_floats(acc[v]), scale, offset));)
    return;
  }
  const floats lo = floats_set1(r->clamp_lo), hi = floats_set1(r->clamp_hi);
  HONED_UNROLL3(
      v, if (v < vectors) {
        const floats t = floats_fma(ints_to_floats(acc[v]), scale, offset);
        if (residual != NULL) {
          const floats other = ints_to_floats(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(residual + v * 16))));
          q[v] = floats_to_ints(requantize_residual(r, t, other));
        } else {
          q[v] = floats_to_ints(floats_clamp(t, lo, hi));
        }
      })
}

static inline void store_u8(const honed_requantize *r, int64_t oc, const sums *acc, int vectors, const uint8_t *residual, uint64_t valid,
                            uint8_t fill, uint8_t *out) {
  sums q[4];
  quantize_row(r, oc, acc, vectors, residual, q);
  HONED_UNROLL4(v, if (v >= vectors) q[v] = q[0];)
  const bytes packed_words = bytes_pack(q, residual == NULL ? r->zero_point : 0);
  /* pack leaves lane l of vector j in the dword 4 l + j. */
  const bytes packed = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), packed_words);
  const bytes y = bytes_blend(valid, packed, bytes_set1(fill));
  if (vectors == 1) {
    _mm_storeu_si128((__m128i *)out, _mm512_castsi512_si128(y));
  } else {
    _mm256_storeu_si256((__m256i *)out, _mm512_castsi512_si256(y));
  }
  if (vectors == 3) _mm_storeu_si128((__m128i *)(out + 32), _mm512_extracti32x4_epi32(y, 2));
}

static inline void store_f32(const honed_requantize *r, int64_t oc, const sums *acc, int vectors, uint64_t valid, float *out) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  HONED_UNROLL3(
      v, if (v < vectors) {
        const floats y = requantize_real(r, acc[v], scale, offset);
        floats_store(out + v * 16, _mm512_maskz_mov_ps((__mmask16)(valid >> v * 16), y));
      })
}

static inline void sums_store(const params *p, int64_t oc, const sums *acc, int vectors, const void *residual, uint64_t valid,
                              const honed_tensor *y, void *out) {
  if (y->dtype == HONED_F32) {
    store_f32(&p->requantize, oc, acc, vectors, valid, out);
  } else {
    store_u8(&p->requantize, oc, acc, vectors, residual, valid, y->zero_point, out);
  }
}

#endif
