#include "pairs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { cut = 64, least_room = 64 };

/* Of 8 weights: whether the magnitudes of each pair sum to no more than HONED_PAIR_SUM. Side by side in one word: magnitudes are at most
 * 128.
 */
static bool are_safe(const int8_t w[4 * HONED_PAIR_ROWS]) {
  const uint64_t ones = UINT64_C(0x0101010101010101), low = UINT64_C(0x00ff00ff00ff00ff), halves = UINT64_C(0x0001000100010001);
  uint64_t v;
  memcpy(&v, w, sizeof v);
  const uint64_t negative = v >> 7 & ones;
  const uint64_t magnitude = (v ^ negative * 255) + negative;
  const uint64_t sum = (magnitude & low) + (magnitude >> 8 & low);
  return ((sum + halves * (0x7fff - HONED_PAIR_SUM)) & halves << 15) == 0;
}

/* Cuts w, which then is safe; rest: what is cut off. */
static void cut_weights(int8_t *w, int8_t *rest) {
  for (int i = 0; i < 4 * HONED_PAIR_ROWS; i++) {
    const int8_t kept = w[i] > cut ? cut : w[i] < -cut ? -cut : w[i];
    rest[i] = (int8_t)(w[i] - kept);
    w[i] = kept;
  }
}

static bool add_rest(honed_conv_pairs *out, int64_t *count, int64_t *room, int64_t quad, int64_t tap, int8_t *w) {
  if (*count == *room) {
    *room *= 2;
    honed_conv_rest *rests = realloc(out->rests, (size_t)*room * sizeof *rests);
    if (rests == NULL) return false;
    out->rests = rests;
  }
  honed_conv_rest *rest = &out->rests[(*count)++];
  rest->quad = (int32_t)quad;
  rest->tap = (int32_t)tap;
  cut_weights(w, &rest->weights[0][0]);
  return true;
}

/* Copies and cuts the weights, block by block. */
static bool fill(const int8_t *weights, int64_t blocks, int64_t quads, int64_t taps, int64_t rows, honed_conv_pairs *out) {
  const int64_t block_bytes = quads * taps * rows * 4, parts = rows / HONED_PAIR_ROWS;
  int64_t count = 0, room = least_room;
  for (int64_t i = 0; i < blocks * parts; i++) {
    int8_t *block = out->weights + i / parts * block_bytes, *w = block + i % parts * (4 * HONED_PAIR_ROWS);
    if (i % parts == 0) memcpy(block, weights + i / parts * block_bytes, (size_t)block_bytes);
    out->begin[i] = count;
    for (int64_t entry = 0; entry < quads * taps; entry++, w += 4 * rows) {
      if (!are_safe(w) && !add_rest(out, &count, &room, entry / taps, entry % taps, w)) return false;
    }
  }
  out->begin[blocks * parts] = count;
  return true;
}

honed_status honed_conv_pairs_create(const int8_t *weights, int64_t blocks, int64_t quads, int64_t taps, int64_t rows,
                                     honed_conv_pairs *out, honed_context *ctx) {
  const size_t bytes = (size_t)(blocks * quads * taps * rows * 4);
  const size_t parts = (size_t)(blocks * rows / HONED_PAIR_ROWS);
  *out = (honed_conv_pairs){
      .weights = malloc(bytes), .begin = malloc((parts + 1) * sizeof *out->begin), .rests = malloc(least_room * sizeof *out->rests)};
  if (out->weights != NULL && out->begin != NULL && out->rests != NULL && fill(weights, blocks, quads, taps, rows, out)) return HONED_OK;
  honed_conv_pairs_destroy(out);
  return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %zu bytes of weights", bytes);
}

void honed_conv_pairs_destroy(honed_conv_pairs *pairs) {
  free(pairs->weights);
  free(pairs->rests);
  free(pairs->begin);
  *pairs = (honed_conv_pairs){0};
}
