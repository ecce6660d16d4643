/* Products of four interleaved planes (base/x86_bytes_avx512.h) with four weights: the int8 dot product. */
#ifndef HONED_CONV_PRODUCTS_AVX512VNNI_H
#define HONED_CONV_PRODUCTS_AVX512VNNI_H

#include "base/x86_bytes_avx512.h"
#include "base/x86_vnni.h"

typedef ints products; /* four interleaved planes of one split vector, ready to be multiplied */
typedef ints factors;  /* four weights of output channels, one channel in all lanes or one per lane */

static inline products products_make(ints quad) { return quad; }
static inline factors factors_make(ints quad) { return quad; }
/* Of one output channel, broadcast. */
static inline factors factors_load(const int8_t *w) { return factors_make(ints_set1(*(const int32_t *)w)); }
static inline ints products_add(ints acc, products a, factors b) { return honed_dpbusd(acc, a, b); }
/* The lower halves; the upper one of the result is 0. */
static inline ints products_add_half(ints acc, products a, factors b) { return honed_dpbusd_half(acc, a, b); }

#endif
