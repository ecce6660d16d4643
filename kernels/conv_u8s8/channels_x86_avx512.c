/* Without VNNI: both factors are widened to 16 bits, so that nothing saturates; even and odd bytes apart. */
#include "channels_avx512.h"

#define TILE_RUNS 1
#define RUN_MAX 7
typedef struct factors {
  __m512i even, odd;
} factors;
typedef factors quads;

static inline factors factors_load(const void *w) {
  const __m512i v = _mm512_loadu_si512(w);
  return (factors){_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8), _mm512_srai_epi16(v, 8)};
}
static inline quads quads_load(const void *p) {
  const __m512i v = _mm512_set1_epi32(*(const int32_t *)p);
  return (quads){_mm512_and_si512(v, _mm512_set1_epi16(0xff)), _mm512_srli_epi16(v, 8)};
}
static inline ints sums_add(ints acc, quads a, factors b) {
  return _mm512_add_epi32(acc, _mm512_add_epi32(_mm512_madd_epi16(a.even, b.even), _mm512_madd_epi16(a.odd, b.odd)));
}

#include "channels_generic.h"

void honed_conv_u8s8_7x32__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
