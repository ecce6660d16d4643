/* Vectors of eight floats and 32 bytes, with AVX2 and FMA. The names and their meaning are in simd_scalar.h. */
#ifndef HONED_BASE_SIMD_H
#define HONED_BASE_SIMD_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { VF_LANES = 8, VB_LANES = 32 };
typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm; /* all bits of a lane */
typedef __m256i vb;

static inline __m256i simd_lanes_below(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf vf_set1(float x) { return _mm256_set1_ps(x); }
static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline vf vf_load_once(const float *p) {
  vf v = vf_load(p);
  __asm__("" : "+x"(v));
  return v;
}
static inline vf vf_load_part(const float *p, int64_t n) { return _mm256_maskload_ps(p, simd_lanes_below(n)); }
static inline vf vf_load_lanes(const float *p, int64_t first, int64_t last) {
  return _mm256_maskload_ps(p, _mm256_andnot_si256(simd_lanes_below(first), simd_lanes_below(last)));
}
static inline vf vf_load_where(const float *p, uint32_t bits) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_maskload_ps(p, _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int32_t)bits), bit), bit));
}
static inline void vf_store(float *p, vf a) { _mm256_storeu_ps(p, a); }
static inline void vf_store_part(float *p, vf a, int64_t n) { _mm256_maskstore_ps(p, simd_lanes_below(n), a); }

static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline float vf_sum(vf a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf vf_rint(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm256_floor_ps(a); }
static inline vf vf_ceil(vf a) { return _mm256_ceil_ps(a); }

static inline vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vf vf_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
static inline bool vm_any(vm m) { return _mm256_movemask_ps(m) != 0; }

static inline vi vf_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf vi_bits(vi a) { return _mm256_castsi256_ps(a); }

static inline vf vf_even_mixed(vf a, vf b) { return _mm256_shuffle_ps(a, b, _MM_SHUFFLE(2, 0, 2, 0)); }
static inline vf vf_odd_mixed(vf a, vf b) { return _mm256_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1)); }
static inline vf vf_shift_in_mixed(vf a, const float *x) {
  return _mm256_blend_ps(_mm256_permutevar8x32_ps(a, _mm256_setr_epi32(1, 4, 3, 6, 5, 2, 7, 7)), _mm256_broadcast_ss(x), 0x80);
}
static inline vf vf_unmix(vf a) { return _mm256_castsi256_ps(_mm256_permute4x64_epi64(_mm256_castps_si256(a), _MM_SHUFFLE(3, 1, 2, 0))); }
static inline vf vf_even(vf a, vf b) { return vf_unmix(vf_even_mixed(a, b)); }
static inline vi vi_even(vi a, vi b) { return vf_bits(vf_even(vi_bits(a), vi_bits(b))); }
static inline vf vf_odd(vf a, vf b) { return vf_unmix(vf_odd_mixed(a, b)); }
static inline vf vf_shift_in(vf a, float x) {
  return _mm256_blend_ps(_mm256_permutevar8x32_ps(a, _mm256_setr_epi32(1, 2, 3, 4, 5, 6, 7, 0)), _mm256_set1_ps(x), 0x80);
}
static inline vf vf_zip_lo(vf a, vf b) { return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20); }
static inline vf vf_zip_hi(vf a, vf b) { return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31); }
static inline vb vb_even(vb a, vb b) {
  const __m256i low = _mm256_set1_epi16(0x00ff);
  const __m256i even = _mm256_packus_epi16(_mm256_and_si256(a, low), _mm256_and_si256(b, low));
  return _mm256_permute4x64_epi64(even, _MM_SHUFFLE(3, 1, 2, 0));
}

static inline vi vi_from_vf(vf a) { return _mm256_cvtps_epi32(a); }
static inline vf vf_from_vi(vi a) { return _mm256_cvtepi32_ps(a); }
static inline vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm256_min_epi32(a, b); }
static inline vi vi_min_unsigned(vi a, vi b) { return _mm256_min_epu32(a, b); }
static inline vm vi_eq(vi a, vi b) { return _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b)); }
#define vi_shl(a, n) _mm256_slli_epi32(a, n)
#define vi_sar(a, n) _mm256_srai_epi32(a, n)

static inline __m128i simd_bytes_part(const void *p, int64_t n) {
  uint64_t bytes = 0;
  memcpy(&bytes, p, (size_t)n);
  return _mm_cvtsi64_si128((int64_t)bytes);
}

static inline vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline vf vf_gather(const float *p, vi at) { return _mm256_i32gather_ps(p, at, 4); }
static inline vi vi_load_part(const int32_t *p, int64_t n) { return _mm256_maskload_epi32(p, simd_lanes_below(n)); }
static inline void vi_store(int32_t *p, vi a) { _mm256_storeu_si256((__m256i *)p, a); }
static inline void vi_store_part(int32_t *p, vi a, int64_t n) { _mm256_maskstore_epi32(p, simd_lanes_below(n), a); }
static inline vi vi_load_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
static inline vi vi_load_u8_part(const uint8_t *p, int64_t n) { return _mm256_cvtepu8_epi32(simd_bytes_part(p, n)); }
static inline vi vi_load_s8(const int8_t *p) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
static inline vi vi_load_s8_part(const int8_t *p, int64_t n) { return _mm256_cvtepi8_epi32(simd_bytes_part(p, n)); }

static inline __m128i simd_low_bytes(vi a) {
  const __m256i low = _mm256_shuffle_epi8(a, _mm256_set1_epi32(0x0c080400));
  return _mm_unpacklo_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
}
static inline void vi_store_byte(void *p, vi a) { _mm_storel_epi64((__m128i *)p, simd_low_bytes(a)); }
static inline void vi_store_byte_part(void *p, vi a, int64_t n) {
  const int64_t bytes = _mm_cvtsi128_si64(simd_low_bytes(a));
  memcpy(p, &bytes, (size_t)n);
}

static inline vb vb_set1(uint8_t x) { return _mm256_set1_epi8((char)x); }
static inline vb vb_load(const uint8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline vb vb_load_part(const uint8_t *p, int64_t n) {
  uint8_t bytes[32] = {0};
  memcpy(bytes, p, (size_t)n);
  return vb_load(bytes);
}
static inline void vb_store(uint8_t *p, vb a) { _mm256_storeu_si256((__m256i *)p, a); }
static inline void vb_store_part(uint8_t *p, vb a, int64_t n) {
  uint8_t bytes[32];
  vb_store(bytes, a);
  memcpy(p, bytes, (size_t)n);
}
static inline vb vb_max(vb a, vb b) { return _mm256_max_epu8(a, b); }
static inline vb vb_xor(vb a, vb b) { return _mm256_xor_si256(a, b); }

static inline int64_t vb_sum(const uint8_t *p, int64_t n) {
  __m256i even = _mm256_setzero_si256(), odd = even;
  for (int64_t i = 0; i < n; i += 64) {
    even = _mm256_add_epi64(even, _mm256_sad_epu8(vb_load(p + i), _mm256_setzero_si256()));
    odd = _mm256_add_epi64(odd, _mm256_sad_epu8(vb_load(p + i + 32), _mm256_setzero_si256()));
  }
  const __m256i four = _mm256_add_epi64(even, odd);
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
}

#endif
