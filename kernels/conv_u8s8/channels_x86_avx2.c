#include "base/x86_bytes_avx2.h"
#include "conv_u8s8.h"
#include "interleave_avx2.h"

#define TILE_RUNS 1
#define RUN_MAX 4
typedef honed_conv_u8s8 params;
/* Widened to 16 bits, even and odd bytes apart. */
typedef struct factors {
  __m256i even, odd;
} factors;
typedef factors quads;

static inline factors factors_load(const void *w) {
  const __m256i v = bytes_load(w);
  return (factors){_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), _mm256_srai_epi16(v, 8)};
}
static inline quads quads_load(const void *p) {
  const __m256i v = _mm256_set1_epi32(*(const int32_t *)p);
  return (quads){_mm256_and_si256(v, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(v, 8)};
}
static inline ints sums_add(ints acc, quads a, factors b) {
  return _mm256_add_epi32(acc, _mm256_add_epi32(_mm256_madd_epi16(a.even, b.even), _mm256_madd_epi16(a.odd, b.odd)));
}

static inline bytes pixels_apart(bytes v) { return _mm256_permute4x64_epi64(v, 0xd8); }
#define store_16(p, v, part) _mm_storeu_si128((__m128i *)(p), _mm256_extracti128_si256(v, (part) & 1))

#include "channels_generic.h"

void honed_conv_u8s8_4x16__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
