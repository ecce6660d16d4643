/* Stores a block of gemm_u8s8, for the AVX-512 variants. Included by files compiled for AVX-512. */
#ifndef HONED_GEMM_GEMM_U8S8_STORE_AVX512_H
#define HONED_GEMM_GEMM_U8S8_STORE_AVX512_H

#include "base/simd_avx512.h"
#include "conv/gate_vector.h"
#include "gemm_u8s8.h"

static inline void honed_gemm_u8s8_store_avx512(const honed_gemm_u8s8_args *a, __m512i sum, int64_t m, int64_t n) {
  const __mmask16 mask = a->n - n >= HONED_GEMM_BLOCK ? 0xFFFF : (__mmask16)((1u << (a->n - n)) - 1);
  const honed_requantize *r = a->requantize;
  const int64_t channel = a->channel + n;
  const __m512i acc = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(mask, r->init + channel));
  const __m512 scale = _mm512_maskz_loadu_ps(mask, r->scale + channel), offset = _mm512_maskz_loadu_ps(mask, r->offset + channel);
  /* maxps and minps return their second operand where one is a NaN. */
  __m512 q = _mm512_fmadd_ps(_mm512_cvtepi32_ps(acc), scale, offset);
  if (r->gate.kind != HONED_GATE_NONE) q = gate_vector(&r->gate, q);
  q = _mm512_min_ps(_mm512_max_ps(q, _mm512_set1_ps(r->clamp_lo)), _mm512_set1_ps(r->clamp_hi));
  if (a->y_is_f32) {
    _mm512_mask_storeu_ps((float *)a->y + m * a->ldy + n, mask, q);
  } else {
    _mm512_mask_cvtepi32_storeu_epi8((uint8_t *)a->y + m * a->ldy + n, mask,
                                     _mm512_add_epi32(_mm512_cvtps_epi32(q), _mm512_set1_epi32(r->zero_point)));
  }
}

#endif
