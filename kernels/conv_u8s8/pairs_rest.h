/* What kernels share that read the weights of pairs.h. */
#ifndef HONED_CONV_U8S8_PAIRS_REST_H
#define HONED_CONV_U8S8_PAIRS_REST_H

#include "conv_u8s8.h"

#define HAS_REST
typedef honed_conv_rest rest;

static inline const int8_t *weights_of(const honed_conv_u8s8 *p) { return p->pairs.weights; }
/* The rests from those on that the first `rows` output channels of all blocks precede. */
static inline const rest *rest_of(const honed_conv_u8s8 *p, int64_t rows) {
  return p->pairs.rests + p->pairs.begin[rows / HONED_PAIR_ROWS];
}

#endif
