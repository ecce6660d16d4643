/* Vectors of sixteen floats and 64 bytes, with AVX-512 F, BW, DQ and VL. The names and their meaning are in simd_scalar.h. */
#ifndef HONED_BASE_SIMD_H
#define HONED_BASE_SIMD_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

enum { VF_LANES = 16, VB_LANES = 64 };
typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;
typedef __m512i vb;

static inline __mmask16 simd_lanes_below(int64_t n) { return (__mmask16)((1u << n) - 1); }
static inline __mmask64 simd_bytes_below(int64_t n) { return ((__mmask64)1 << n) - 1; }

static inline vf vf_set1(float x) { return _mm512_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline vf vf_load_once(const float *p) {
  vf v = vf_load(p);
  __asm__("" : "+v"(v));
  return v;
}
static inline vf vf_load_part(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(simd_lanes_below(n), p); }
static inline vf vf_load_lanes(const float *p, int64_t first, int64_t last) {
  return _mm512_maskz_loadu_ps((__mmask16)(simd_lanes_below(last) & ~simd_lanes_below(first)), p);
}
static inline vf vf_load_where(const float *p, uint32_t bits) { return _mm512_maskz_loadu_ps((__mmask16)bits, p); }
static inline void vf_store(float *p, vf a) { _mm512_storeu_ps(p, a); }
static inline void vf_store_part(float *p, vf a, int64_t n) { _mm512_mask_storeu_ps(p, simd_lanes_below(n), a); }

static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline float vf_sum(vf a) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf vf_rint(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline vf vf_ceil(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }

static inline vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline bool vm_any(vm m) { return m != 0; }

static inline vi vf_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf vi_bits(vi a) { return _mm512_castsi512_ps(a); }

static inline vi vi_even(vi a, vi b) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(a, even, b);
}
static inline vf vf_even(vf a, vf b) { return vi_bits(vi_even(vf_bits(a), vf_bits(b))); }
static inline vf vf_odd(vf a, vf b) {
  const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return _mm512_permutex2var_ps(a, odd, b);
}
static inline vf vf_shift_in(vf a, float x) {
  return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(_mm512_set1_ps(x)), _mm512_castps_si512(a), 1));
}
static inline vf vf_even_mixed(vf a, vf b) { return _mm512_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)); }
static inline vf vf_odd_mixed(vf a, vf b) { return _mm512_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)); }
static inline vf vf_shift_in_mixed(vf a, const float *x) {
  const __m512i next = _mm512_setr_epi32(1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 2, 15, 15);
  return _mm512_mask_broadcastss_ps(_mm512_permutexvar_ps(next, a), 0x8000, _mm_load_ss(x));
}
static inline vf vf_unmix(vf a) {
  return _mm512_permutexvar_ps(_mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15), a);
}
static inline vf vf_zip_lo(vf a, vf b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
}
static inline vf vf_zip_hi(vf a, vf b) {
  return _mm512_permutex2var_ps(a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b);
}
static inline vb vb_even(vb a, vb b) {
  const __m512i low = _mm512_set1_epi16(0x00ff), order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  return _mm512_permutexvar_epi64(order, _mm512_packus_epi16(_mm512_and_si512(a, low), _mm512_and_si512(b, low)));
}

static inline vi vi_from_vf(vf a) { return _mm512_cvtps_epi32(a); }
static inline vf vf_from_vi(vi a) { return _mm512_cvtepi32_ps(a); }
static inline vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm512_min_epi32(a, b); }
static inline vi vi_min_unsigned(vi a, vi b) { return _mm512_min_epu32(a, b); }
static inline vm vi_eq(vi a, vi b) { return _mm512_cmpeq_epi32_mask(a, b); }
#define vi_shl(a, n) _mm512_slli_epi32(a, n)
#define vi_sar(a, n) _mm512_srai_epi32(a, n)

static inline vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline vf vf_gather(const float *p, vi at) { return _mm512_i32gather_ps(at, p, 4); }
static inline vi vi_load_part(const int32_t *p, int64_t n) { return _mm512_maskz_loadu_epi32(simd_lanes_below(n), p); }
static inline void vi_store(int32_t *p, vi a) { _mm512_storeu_si512(p, a); }
static inline void vi_store_part(int32_t *p, vi a, int64_t n) { _mm512_mask_storeu_epi32(p, simd_lanes_below(n), a); }
static inline vi vi_load_u8(const uint8_t *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)); }
static inline vi vi_load_u8_part(const uint8_t *p, int64_t n) { return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(simd_lanes_below(n), p)); }
static inline vi vi_load_s8(const int8_t *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }
static inline vi vi_load_s8_part(const int8_t *p, int64_t n) { return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(simd_lanes_below(n), p)); }
static inline void vi_store_byte(void *p, vi a) { _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a)); }
static inline void vi_store_byte_part(void *p, vi a, int64_t n) { _mm_mask_storeu_epi8(p, simd_lanes_below(n), _mm512_cvtepi32_epi8(a)); }

static inline vb vb_set1(uint8_t x) { return _mm512_set1_epi8((char)x); }
static inline vb vb_load(const uint8_t *p) { return _mm512_loadu_si512(p); }
static inline vb vb_load_part(const uint8_t *p, int64_t n) { return _mm512_maskz_loadu_epi8(simd_bytes_below(n), p); }
static inline void vb_store(uint8_t *p, vb a) { _mm512_storeu_si512(p, a); }
static inline void vb_store_part(uint8_t *p, vb a, int64_t n) { _mm512_mask_storeu_epi8(p, simd_bytes_below(n), a); }
static inline vb vb_max(vb a, vb b) { return _mm512_max_epu8(a, b); }
static inline vb vb_xor(vb a, vb b) { return _mm512_xor_si512(a, b); }

static inline int64_t vb_sum(const uint8_t *p, int64_t n) {
  __m512i sum = _mm512_setzero_si512();
  for (int64_t i = 0; i < n; i += 64) sum = _mm512_add_epi64(sum, _mm512_sad_epu8(vb_load(p + i), _mm512_setzero_si512()));
  return _mm512_reduce_add_epi64(sum);
}

#endif
