/* The same as products_avx512vnni.h without VNNI: both factors are widened to 16 bits, so that nothing saturates; even and odd bytes
 * apart. */
#ifndef HONED_CONV_PRODUCTS_AVX512_H
#define HONED_CONV_PRODUCTS_AVX512_H

#include "base/x86_bytes_avx512.h"

typedef struct products {
  ints even, odd;
} products;
typedef products factors;

static inline products products_make(ints quad) {
  return (products){_mm512_and_si512(quad, _mm512_set1_epi16(0xff)), _mm512_srli_epi16(quad, 8)};
}
static inline factors factors_make(ints quad) {
  return (factors){_mm512_srai_epi16(_mm512_slli_epi16(quad, 8), 8), _mm512_srai_epi16(quad, 8)};
}
static inline factors factors_load(const int8_t *w) { return factors_make(ints_set1(*(const int32_t *)w)); }
static inline ints products_add(ints acc, products a, factors b) {
  return _mm512_add_epi32(acc, _mm512_add_epi32(_mm512_madd_epi16(a.even, b.even), _mm512_madd_epi16(a.odd, b.odd)));
}

#endif
