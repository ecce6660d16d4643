/* Weights for kernels that multiply pairs of bytes into sums of 16 bits (vpmaddubsw), which saturate.
 *
 * The sum of a pair of adjacent input channels, x0 * w0 + x1 * w1 with x at most 255, fits where |w0| + |w1| <= 128. Most pairs of a
 * trained layer are such. Weights of the others are cut at 64; what is cut off, at most 64 as well, is a second product with the same
 * pixels, so that every sum stays exact. */
#ifndef HONED_CONV_PAIRS_H
#define HONED_CONV_PAIRS_H

#include "base/operator.h"

enum { HONED_PAIR_SUM = 128 /* of the magnitudes of a safe pair, at most */ };
enum { HONED_PAIR_ROWS = 2 /* output channels whose rests are found together; a block of packed weights has a multiple */ };

/* What was cut off the weights of HONED_PAIR_ROWS output channels for one tap of one quad of input channels. */
typedef struct honed_conv_rest {
  int32_t quad, tap;
  int8_t weights[HONED_PAIR_ROWS][4];
} honed_conv_rest;

typedef struct honed_conv_pairs {
  int8_t *weights;        /* packed as they were, those of unsafe pairs cut */
  honed_conv_rest *rests; /* of the channels 2 i and 2 i + 1, over all blocks: begin[i] ... begin[i + 1] - 1, in order of quads and taps */
  int64_t *begin;
} honed_conv_pairs;

/* weights: [blocks][quads][taps][rows][4]. Everything in `out` is NULL where there is no memory for it. */
honed_status honed_conv_pairs_create(const int8_t *weights, int64_t blocks, int64_t quads, int64_t taps, int64_t rows,
                                     honed_conv_pairs *out, honed_context *ctx);
void honed_conv_pairs_destroy(honed_conv_pairs *pairs);

#endif
