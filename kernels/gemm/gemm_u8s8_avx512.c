#include "gemm_u8s8_store_avx512.h"

typedef __m512i vec;
typedef __m512i word_vec;
enum { BLOCK_VECS = 2, WIDE_BLOCKS = 2 };
#define ROWS 4

/* The four inputs as 16-bit numbers, eight times. */
static inline word_vec spread(uint32_t word) { return _mm512_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128((int32_t)word))); }

/* acc[i] holds outputs 8i to 8i + 7, two partial sums each. In 16 bits nothing saturates: vpmaddwd adds to 32. */
static inline void dot(vec *acc, word_vec x, const int8_t *w) {
  for (int i = 0; i < BLOCK_VECS; i++) {
    const __m512i weights = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(w + 32 * i)));
    acc[i] = _mm512_add_epi32(acc[i], _mm512_madd_epi16(weights, x));
  }
}

static inline __m256i fold(vec acc) { return _mm512_cvtepi64_epi32(_mm512_add_epi32(acc, _mm512_srli_epi64(acc, 32))); }

static inline void store_block(const honed_gemm_u8s8_args *a, const vec *acc, int64_t m, int64_t n) {
  const __m512i sum = _mm512_inserti64x4(_mm512_castsi256_si512(fold(acc[0])), fold(acc[1]), 1);
  honed_gemm_u8s8_store_avx512(a, sum, m, n);
}

#include "gemm_u8s8_tile.h"

void honed_gemm_u8s8_4x32__avx512(const honed_gemm_u8s8_args *args) { panel(args); }
