/* Without VNNI: both factors are widened to 16 bits, so that nothing saturates; even and odd bytes apart. */
#include "tile_avx512.h"

#define TILE_ROWS 8
#define TILE_VECTORS 2
typedef struct pixels {
  __m512i even, odd;
} pixels;
typedef pixels factors;

static inline pixels pixels_load(const void *p) {
  const __m512i quad = _mm512_loadu_si512(p);
  return (pixels){_mm512_and_si512(quad, _mm512_set1_epi16(0xff)), _mm512_srli_epi16(quad, 8)};
}
static inline factors factors_load(const void *w) {
  const __m512i quad = _mm512_set1_epi32(*(const int32_t *)w);
  return (factors){_mm512_srai_epi16(_mm512_slli_epi16(quad, 8), 8), _mm512_srai_epi16(quad, 8)};
}
static inline sums sums_add(sums acc, pixels a, factors b) {
  return _mm512_add_epi32(acc, _mm512_add_epi32(_mm512_madd_epi16(a.even, b.even), _mm512_madd_epi16(a.odd, b.odd)));
}

#include "generic.h"

void honed_conv_u8s8_8x2__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
