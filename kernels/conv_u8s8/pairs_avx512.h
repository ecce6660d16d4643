/* Products of four interleaved planes with four weights whose pairs are safe (pairs.h). The names are those of conv/products_*.h. */
#ifndef HONED_CONV_U8S8_PAIRS_AVX512_H
#define HONED_CONV_U8S8_PAIRS_AVX512_H

#include "base/x86_bytes_avx512.h"
#include "pairs_rest.h"

typedef ints products;
typedef ints factors;

static inline products products_make(ints quad) { return quad; }
static inline factors factors_load(const void *w) { return ints_set1(*(const int32_t *)w); }
static inline ints products_add(ints acc, products a, factors b) { return bytes_add_pairs(acc, a, b); }

#endif
