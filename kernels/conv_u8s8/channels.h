/* Which pixels a kernel with output channels in its lanes takes together, and its scratch. */
#ifndef HONED_CONV_U8S8_CHANNELS_H
#define HONED_CONV_U8S8_CHANNELS_H

#include "base/integers.h"
#include "conv_u8s8.h"

enum { CHANNELS_RUN_MIN = 4, CHANNELS_RUN_MAX = 7 };

/* Pixels of a row that lie side by side, from `pixel` (relative to the band) on: `count` are wanted; what else is computed is not valid. */
typedef struct channels_run {
  int64_t pixel, count;
} channels_run;

/* All runs over the valid pixels of a band. */
typedef struct channels_walk {
  int64_t row_stride, row_pixels, width; /* of a run, CHANNELS_RUN_MIN to CHANNELS_RUN_MAX */
  int64_t begin, end;                    /* of the band, within a plane */
  int64_t row, at;                       /* where the row begins; the next run, within it */
} channels_walk;

/* Runs as even as the widest one allows: 8 pixels are 4 and 4, not 7 and 1. */
static inline channels_walk channels_walk_make(const honed_tensor *y, int64_t run_max, int64_t begin, int64_t end) {
  const int64_t pixels = y->dims[3], wanted = honed_divide_up(pixels, honed_larger(honed_divide_up(pixels, run_max), 1));
  const int64_t row = begin / y->row_stride * y->row_stride;
  return (channels_walk){.row_stride = y->row_stride,
                         .row_pixels = pixels,
                         .width = honed_larger(wanted, CHANNELS_RUN_MIN),
                         .begin = begin,
                         .end = end,
                         .row = row,
                         .at = begin - row};
}

/* The next run, if there is one. A row's last one begins earlier rather than being short. */
static inline bool channels_walk_next(channels_walk *w, channels_run *out) {
  for (; w->row < w->end; w->row += w->row_stride, w->at = 0) {
    const int64_t first = honed_larger(w->begin - w->row, 0), last = honed_smaller(w->end - w->row, w->row_pixels);
    if (w->at >= last) continue;
    const int64_t start = honed_larger(honed_smaller(w->at, last - w->width), first);
    *out = (channels_run){.pixel = w->row + start - w->begin, .count = honed_smaller(w->width, last - start)};
    w->at = start + w->width;
    return true;
  }
  return false;
}

/* Scratch: the band, then the results of a block of output channels over it (words.h). */
static inline int64_t channels_words_offset(const honed_band_plan *plan) {
  return honed_divide_up((plan->units * plan->phases * plan->plane_pixels + HONED_VECTOR) * 4, 64) * 64;
}
static inline int64_t channels_words_bytes(const honed_band_plan *plan) {
  return honed_divide_up(plan->band_vectors * HONED_VECTOR + CHANNELS_RUN_MAX, 64) * 64 * HONED_CONV_U8S8_CHANNELS;
}

#endif
