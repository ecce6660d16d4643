/* Pairs of products are added in 16 bits, which no pair of weights can overflow (conv/pairs.h). 16 pixels are two registers. */
#include "base/x86_bytes_avx2.h"
#include "pairs_products.h"

#include "base/unroll.h"
#include "conv/requantize_bytes.h"
#include "interleave_avx2.h"

#define TILE_ROWS 2
#define TILE_VECTORS 2
typedef honed_conv_u8s8 params;
typedef struct sums {
  __m256i lo, hi;
} sums;
typedef sums pixels;

static inline sums sums_init(const params *p, int64_t oc) {
  const __m256i init = _mm256_set1_epi32(p->requantize.init[oc]);
  return (sums){init, init};
}

static inline pixels pixels_load(const void *p) { return (pixels){bytes_load(p), bytes_load((const uint8_t *)p + 32)}; }
static inline sums sums_add(sums acc, pixels a, factors b) { return (sums){products_add(acc.lo, a.lo, b), products_add(acc.hi, a.hi, b)}; }

/* Sums of 8 pixels each to their rounded results, less the zero point, with an activation. */
static __attribute__((noinline)) void quantize_gated(const honed_requantize *r, int64_t oc, __m256i v[4]) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  requantize_gated_ints(r, (floats[2]){scale, scale}, (floats[2]){offset, offset}, v, 4, v);
}

/* The same without one, of `count` vectors; with the residual's sum instead where there is one. */
ALWAYS void quantize(const honed_requantize *r, int64_t oc, int count, const uint8_t *residual, __m256i v[4]) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  const floats lo = floats_set1(r->clamp_lo), hi = floats_set1(r->clamp_hi);
  HONED_UNROLL4(
      j, if (j < count) {
        const floats t = floats_fma(ints_to_floats(v[j]), scale, offset);
        if (residual != NULL) {
          const floats other = ints_to_floats(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(residual + 8 * j))));
          v[j] = floats_to_ints(requantize_residual(r, t, other));
        } else {
          v[j] = floats_to_ints(floats_clamp(t, lo, hi));
        }
      })
}

ALWAYS void store_u8(const honed_requantize *r, int64_t oc, const sums *acc, int vectors, const uint8_t *residual, uint64_t valid,
                     uint8_t fill, uint8_t *out) {
  const int second = vectors - 1;
  __m256i q[4] = {acc[0].lo, acc[0].hi, acc[second].lo, acc[second].hi};
  if (r->gate.kind != HONED_GATE_NONE) {
    __m256i copy[4] = {q[0], q[1], q[2], q[3]};
    quantize_gated(r, oc, copy);
    HONED_UNROLL4(j, q[j] = copy[j];)
  } else if (residual == NULL) {
    quantize(r, oc, 2 * vectors, NULL, q);
  } else {
    quantize(r, oc, 2 * vectors, residual, q);
  }
  /* Packs work within lanes: 4 pixels of each vector, then 4 more of each. */
  const __m256i packed = bytes_pack(q, residual == NULL ? r->zero_point : 0);
  const __m256i ordered = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  bytes_store_first(out, bytes_blend(valid, ordered, bytes_set1(fill)), 16 * vectors);
}

static __attribute__((noinline)) void store_f32(const honed_requantize *r, int64_t oc, sums acc, uint64_t valid, float *out) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  floats_store(out, floats_where(valid, requantize_real(r, acc.lo, scale, offset)));
  floats_store(out + 8, floats_where(valid >> 8, requantize_real(r, acc.hi, scale, offset)));
}

static __attribute__((noinline)) void sums_store(const params *p, int64_t oc, const sums *acc, int vectors, const void *residual,
                                                 uint64_t valid, const honed_tensor *y, void *out) {
  if (y->dtype == HONED_F32) {
    HONED_UNROLL2(v, if (v < vectors) store_f32(&p->requantize, oc, acc[v], valid >> (16 * v), (float *)out + 16 * v);)
  } else {
    store_u8(&p->requantize, oc, acc, vectors, residual, valid, y->zero_point, out);
  }
}

#include "generic.h"

void honed_conv_u8s8_2x2__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
