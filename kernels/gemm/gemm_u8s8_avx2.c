#include "base/simd_avx2.h"
#include "conv/gate_vector.h"
#include "gemm_u8s8.h"

typedef __m256i vec;
typedef __m256i word_vec;
enum { BLOCK_VECS = 4, WIDE_BLOCKS = 1 };
#define ROWS 2

/* The four inputs as 16-bit numbers, four times. */
static inline word_vec spread(uint32_t word) { return _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128((int32_t)word))); }

/* acc[i] holds outputs 4i to 4i + 3, two partial sums each. In 16 bits nothing saturates: vpmaddwd adds to 32. */
static inline void dot(vec *acc, word_vec x, const int8_t *w) {
  for (int i = 0; i < BLOCK_VECS; i++) {
    const __m256i weights = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(w + 16 * i)));
    acc[i] = _mm256_add_epi32(acc[i], _mm256_madd_epi16(weights, x));
  }
}

/* Outputs 8i to 8i + 7, of which `mask` says which exist. */
static inline __m256 requantize(const honed_gemm_u8s8_args *a, __m256i sum, int64_t n, __m256i mask) {
  const honed_requantize *r = a->requantize;
  n += a->channel;
  const __m256i acc = _mm256_add_epi32(sum, _mm256_maskload_epi32(r->init + n, mask));
  __m256 q = _mm256_fmadd_ps(_mm256_cvtepi32_ps(acc), _mm256_maskload_ps(r->scale + n, mask), _mm256_maskload_ps(r->offset + n, mask));
  if (r->gate.kind != HONED_GATE_NONE) q = gate_vector(&r->gate, q);
  /* maxps and minps return their second operand where one is a NaN. */
  return _mm256_min_ps(_mm256_max_ps(q, _mm256_set1_ps(r->clamp_lo)), _mm256_set1_ps(r->clamp_hi));
}

static inline void store_u8(uint8_t *y, __m256 q, int32_t zero_point, int count) {
  int32_t values[8];
  _mm256_storeu_si256((__m256i *)values, _mm256_add_epi32(_mm256_cvtps_epi32(q), _mm256_set1_epi32(zero_point)));
  for (int i = 0; i < count; i++) y[i] = (uint8_t)values[i];
}

static inline void store_block(const honed_gemm_u8s8_args *a, const vec *acc, int64_t m, int64_t n) {
  for (int i = 0; i < 2 && n + 8 * i < a->n; i++) {
    const int count = a->n - n - 8 * i < 8 ? (int)(a->n - n - 8 * i) : 8;
    const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m256i pairs = _mm256_hadd_epi32(acc[2 * i], acc[2 * i + 1]); /* outputs 0 1 4 5 2 3 6 7 */
    const __m256 q = requantize(a, _mm256_permute4x64_epi64(pairs, 0xD8), n + 8 * i, mask);
    if (a->y_is_f32) {
      _mm256_maskstore_ps((float *)a->y + m * a->ldy + n + 8 * i, mask, q);
    } else {
      store_u8((uint8_t *)a->y + m * a->ldy + n + 8 * i, q, a->requantize->zero_point, count);
    }
  }
}

#include "gemm_u8s8_tile.h"

void honed_gemm_u8s8_2x16__avx2(const honed_gemm_u8s8_args *args) { panel(args); }
