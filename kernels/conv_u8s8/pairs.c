#include "pairs.h"

#include <stdlib.h>
#include <string.h>

enum { largest_sum = 128, cut = 64 };

static bool is_safe(const int8_t *w) { return abs(w[0]) + abs(w[1]) <= largest_sum && abs(w[2]) + abs(w[3]) <= largest_sum; }

static bool are_safe(const int8_t *w) {
  bool safe = true;
  for (int r = 0; r < HONED_PAIR_ROWS; r++) safe = safe && is_safe(w + 4 * r);
  return safe;
}

/* Cuts w, which then is safe; rest: what is cut off. */
static void cut_weights(int8_t *w, int8_t *rest) {
  for (int i = 0; i < 4 * HONED_PAIR_ROWS; i++) {
    const int8_t kept = w[i] > cut ? cut : w[i] < -cut ? -cut : w[i];
    rest[i] = (int8_t)(w[i] - kept);
    w[i] = kept;
  }
}

/* Visits the weights of each pair of rows, entry by entry. Cuts those that are not safe where there are rests, otherwise counts them. */
static int64_t visit(honed_conv_pairs *out, int64_t blocks, int64_t quads, int64_t taps, int64_t rows) {
  const int64_t block_bytes = quads * taps * rows * 4, parts = rows / HONED_PAIR_ROWS;
  int64_t count = 0;
  for (int64_t i = 0; i < blocks * parts; i++) {
    int8_t *w = out->weights + i / parts * block_bytes + i % parts * (4 * HONED_PAIR_ROWS);
    out->begin[i] = count;
    for (int64_t entry = 0; entry < quads * taps; entry++, w += 4 * rows) {
      if (are_safe(w)) continue;
      if (out->rests != NULL) {
        honed_conv_rest *rest = &out->rests[count];
        rest->quad = (int32_t)(entry / taps);
        rest->tap = (int32_t)(entry % taps);
        cut_weights(w, &rest->weights[0][0]);
      }
      count++;
    }
  }
  out->begin[blocks * parts] = count;
  return count;
}

honed_status honed_conv_pairs_create(const int8_t *weights, int64_t blocks, int64_t quads, int64_t taps, int64_t rows,
                                     honed_conv_pairs *out, honed_context *ctx) {
  const size_t bytes = (size_t)(blocks * quads * taps * rows * 4);
  *out = (honed_conv_pairs){.weights = malloc(bytes), .begin = malloc((size_t)(blocks * rows / HONED_PAIR_ROWS + 1) * sizeof *out->begin)};
  if (out->weights != NULL && out->begin != NULL) {
    memcpy(out->weights, weights, bytes);
    const int64_t count = visit(out, blocks, quads, taps, rows);
    out->rests = malloc((size_t)(count + 1) * sizeof *out->rests);
    if (out->rests != NULL) {
      visit(out, blocks, quads, taps, rows);
      return HONED_OK;
    }
  }
  honed_conv_pairs_destroy(out);
  return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %zu bytes of weights", bytes);
}

void honed_conv_pairs_destroy(honed_conv_pairs *pairs) {
  free(pairs->weights);
  free(pairs->rests);
  free(pairs->begin);
  *pairs = (honed_conv_pairs){0};
}
