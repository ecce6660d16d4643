/* Products of four interleaved planes with four weights whose pairs are safe (conv/pairs.h), and what those weights lack. The names of the
 * products are those of conv/products_*.h. Include a base/x86_bytes_*.h first. */
#ifndef HONED_CONV_U8S8_PAIRS_PRODUCTS_H
#define HONED_CONV_U8S8_PAIRS_PRODUCTS_H

#include "conv_u8s8.h"

#define HAS_REST
typedef ints products;
typedef ints factors;
typedef honed_conv_rest rest;

static inline products products_make(ints quad) { return quad; }
static inline factors factors_load(const void *w) { return ints_set1(*(const int32_t *)w); }
static inline ints products_add(ints acc, products a, factors b) { return bytes_add_pairs(acc, a, b); }

static inline const int8_t *weights_of(const honed_conv_u8s8 *p) { return p->pairs.weights; }
/* The rests from those on that the first `rows` output channels of all blocks precede. */
static inline const rest *rest_of(const honed_conv_u8s8 *p, int64_t rows) {
  return p->pairs.rests + p->pairs.begin[rows / HONED_PAIR_ROWS];
}

#endif
