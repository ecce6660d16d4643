/* Both factors are widened to 16 bits, so that nothing saturates; even and odd bytes apart. 16 pixels are two registers. */
#include "base/x86_bytes_avx2.h"
#include "conv/requantize_bytes.h"
#include "conv_u8s8.h"
#include "interleave_avx2.h"

#define TILE_ROWS 4
#define TILE_VECTORS 1
typedef honed_conv_u8s8 params;
typedef struct sums {
  __m256i lo, hi;
} sums;
typedef struct pixels {
  __m256i even_lo, odd_lo, even_hi, odd_hi;
} pixels;
typedef struct factors {
  __m256i even, odd;
} factors;

static inline sums sums_init(const params *p, int64_t oc) {
  const __m256i init = _mm256_set1_epi32(p->requantize.init[oc]);
  return (sums){init, init};
}

static inline pixels pixels_load(const void *p) {
  const __m256i lo = bytes_load(p), hi = bytes_load((const uint8_t *)p + 32), mask = _mm256_set1_epi16(0xff);
  return (pixels){_mm256_and_si256(lo, mask), _mm256_srli_epi16(lo, 8), _mm256_and_si256(hi, mask), _mm256_srli_epi16(hi, 8)};
}
static inline factors factors_load(const void *w) {
  const __m256i quad = _mm256_set1_epi32(*(const int32_t *)w);
  return (factors){_mm256_srai_epi16(_mm256_slli_epi16(quad, 8), 8), _mm256_srai_epi16(quad, 8)};
}
static inline sums sums_add(sums acc, pixels a, factors b) {
  const __m256i lo = _mm256_add_epi32(_mm256_madd_epi16(a.even_lo, b.even), _mm256_madd_epi16(a.odd_lo, b.odd));
  const __m256i hi = _mm256_add_epi32(_mm256_madd_epi16(a.even_hi, b.even), _mm256_madd_epi16(a.odd_hi, b.odd));
  return (sums){_mm256_add_epi32(acc.lo, lo), _mm256_add_epi32(acc.hi, hi)};
}

static inline floats scale_clamp(const honed_requantize *r, int64_t oc, __m256i acc) {
  return requantize_real(r, acc, floats_set1(r->scale[oc]), floats_set1(r->offset[oc]));
}

static inline floats add_residual(const honed_requantize *r, floats q, const uint8_t *residual) {
  const floats other = ints_to_floats(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)residual)));
  return requantize_residual(r, q, other);
}

static inline void store_u8(const honed_requantize *r, int64_t oc, sums acc, const uint8_t *residual, uint32_t valid, uint8_t fill,
                            uint8_t *out) {
  floats lo = scale_clamp(r, oc, acc.lo), hi = scale_clamp(r, oc, acc.hi);
  if (residual != NULL) {
    lo = add_residual(r, lo, residual);
    hi = add_residual(r, hi, residual + 8);
  }
  /* packs works within lanes: its quarters come out as lo[0], hi[0], lo[1], hi[1]. */
  const __m256i shift = _mm256_set1_epi16(residual == NULL ? (int16_t)r->zero_point : 0);
  const __m256i packed = _mm256_adds_epi16(_mm256_packs_epi32(floats_to_ints(lo), floats_to_ints(hi)), shift);
  const __m256i words = _mm256_permute4x64_epi64(packed, 0xd8);
  const __m256i y = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0x08);
  const __m256i blended = bytes_blend(valid, y, bytes_set1(fill));
  _mm_storeu_si128((__m128i *)out, _mm256_castsi256_si128(blended));
}

static inline void store_f32(const honed_requantize *r, int64_t oc, sums acc, uint32_t valid, float *out) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i own_lo = _mm256_and_si256(_mm256_set1_epi32((int32_t)valid), bit);
  const __m256i own_hi = _mm256_and_si256(_mm256_set1_epi32((int32_t)(valid >> 8)), bit);
  floats_store(out, _mm256_and_ps(scale_clamp(r, oc, acc.lo), _mm256_castsi256_ps(_mm256_cmpeq_epi32(own_lo, bit))));
  floats_store(out + 8, _mm256_and_ps(scale_clamp(r, oc, acc.hi), _mm256_castsi256_ps(_mm256_cmpeq_epi32(own_hi, bit))));
}

static inline void sums_store(const params *p, int64_t oc, const sums *acc, int vectors, const void *residual, uint64_t valid,
                              const honed_tensor *y, void *out) {
  (void)vectors;
  if (y->dtype == HONED_F32) {
    store_f32(&p->requantize, oc, *acc, (uint32_t)valid, out);
  } else {
    store_u8(&p->requantize, oc, *acc, residual, (uint32_t)valid, y->zero_point, out);
  }
}

#include "generic.h"

void honed_conv_u8s8_4x1__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
