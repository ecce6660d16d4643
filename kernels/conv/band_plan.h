/* How a dense convolution over planes is cut into tasks, and where its scratch has what.
 *
 * A task copies a band of the input's pixels, with the halo that its taps reach, into scratch in the form that the inner loop likes: one
 * plane per unit and phase, a unit being one f32 channel, or a pair in bf16 or a quad of u8 channels side by side (4 bytes a pixel in any
 * case). It then computes a chunk of the output channels over the band. Work is counted in vectors of 16 pixels.
 *
 * Chunks of one band follow each other, so that a thread copies few bands. Where kernels read pixels in place, bands of one chunk do:
 * threads then have output channels of their own, which is what most readers of y divide among them, too. */
#ifndef HONED_CONV_BAND_PLAN_H
#define HONED_CONV_BAND_PLAN_H

#include "conv.h"

enum { HONED_VECTOR = 16 };

typedef struct honed_band_plan {
  const uint64_t *valid; /* of y, per 64 pixels of a plane */
  int64_t vectors;       /* of a plane of y, of which the first used_vectors hold valid pixels; bands consist of those */
  int64_t used_vectors, used_pixels;
  int64_t along;             /* pixels behind the used vectors that tiles of several vectors take along, one each, or the last band does */
  int64_t taps, phases;      /* per channel */
  const int64_t *tap_phase;  /* [taps] */
  const int64_t *tap_shift;  /* [taps], elements within a plane of x */
  const int64_t *tap_offset; /* [taps], pixels within a unit's planes in scratch */
  int64_t first_shift;       /* smallest tap_shift: where a band's copy begins, relative to its first pixel */
  int64_t units;             /* per group */
  int64_t plane_pixels;      /* of a plane in scratch */
  int64_t group, blocks, rows; /* groups; blocks of output channels per group; channels of a block */
  int64_t bands, band_vectors; /* the last band may be shorter */
  int64_t chunks, last_chunks; /* per band, and of the last one; tasks = images * group * ((bands - 1) * chunks + last_chunks) */
  bool in_place;
} honed_band_plan;

typedef struct honed_band_task {
  int64_t image, group, vector, vector_end, fill_end, block, block_end;
  bool first; /* of its band */
} honed_band_task;

/* What a family of kernels wants. */
typedef struct honed_band_layout {
  int64_t units;        /* per group */
  int64_t rows;         /* output channels per block of packed weights, a divisor or a multiple of 8 */
  int64_t plane_pixels; /* of a plane in scratch: a multiple of so many */
  int64_t band_bytes;   /* of a band in scratch, about */
  int64_t tile_vectors; /* a band is a multiple of so many vectors */
  bool in_place;        /* pixels are not copied */
  int64_t along;        /* pixels beyond whole vectors that need no vector of their own */
} honed_band_layout;

enum { HONED_BAND_BYTES = 160 * 1024 /* stay in a second-level cache beside the weights */ };

/* Sets call->plan, num_tasks and scratch_bytes. */
honed_status honed_band_plan_create(const honed_conv *conv, const honed_band_layout *layout, honed_call *call, honed_context *ctx);

honed_band_task honed_band_task_get(const honed_band_plan *plan, int64_t task);

/* Bytes of a block's packed weights: [units][taps][rows] of 4 bytes. */
static inline int64_t honed_band_block_bytes(const honed_band_plan *plan) { return plan->units * plan->taps * plan->rows * 4; }

/* Bits of the 64 pixels from `pixel` on; those past the plane are clear. */
static inline uint64_t honed_band_valid(const honed_band_plan *plan, int64_t pixel) {
  const int64_t word = pixel / 64, shift = pixel % 64;
  const uint64_t low = plan->valid[word] >> shift;
  const bool crosses = shift > 0 && word + 1 < plan->vectors / 4;
  return crosses ? low | plan->valid[word + 1] << (64 - shift) : low;
}

#endif
