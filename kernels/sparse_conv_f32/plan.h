/* How a sparse float convolution is cut up.
 *
 * A column is one tap of one input channel, by id (conv/lists.h). A tile is some adjacent pixels of y, and a part some of the lists:
 * tasks = images * tiles * parts. A task copies the columns' pixels for its tile into scratch, side by side, a chunk of columns after
 * the other, so that a chunk stays in the first-level cache while all lists of the part read it, and every read is aligned. Sums that
 * are not complete wait in scratch for the next chunk.
 *
 * What a list has in one chunk is a segment of it. Segments, the distances of their columns within a chunk, and their weights come in the
 * order in which they are read: by part, chunk, and size of their lists. */
#ifndef HONED_SPARSE_CONV_F32_PLAN_H
#define HONED_SPARSE_CONV_F32_PLAN_H

#include "conv/lists.h"

enum {
  HONED_UNIT = 8,        /* pixels in which tiles are counted */
  HONED_TILE_UNITS = 10, /* of the widest tile */
  HONED_LIST_SIZES = 3,  /* 1, 2 and 4 output channels */
};

typedef struct honed_sparse_segment {
  int32_t list, row;                        /* row: in the scratch of sums, its first */
  uint32_t steps : 30, first : 1, last : 1; /* first, last: of the list's segments */
} honed_sparse_segment;

/* Where the segments of one part, chunk and size begin, with their offsets and weights. */
typedef struct honed_sparse_run {
  int64_t segment, offset, weight;
} honed_sparse_run;

typedef struct honed_sparse_f32_plan {
  const uint64_t *valid;             /* of y, per 64 pixels of a plane */
  const uint64_t *reach;             /* [kernel_w][words] (conv/reach.h), or NULL */
  const int32_t *of_tap;             /* [columns]: where a column begins, in elements of x */
  int64_t words;                     /* of valid */
  int64_t units, tiles, tile_pixels; /* units with valid pixels; tile_pixels: of the widest tile, whole vectors */
  int64_t columns, chunk_columns, chunks, parts;
  const honed_sparse_run *runs; /* [parts][chunks][HONED_LIST_SIZES], and one more that ends the last */
  const honed_sparse_segment *segments;
  const uint16_t *offsets; /* bytes */
  const float *weights;
} honed_sparse_f32_plan;

/* Sets call->plan, num_tasks and scratch_bytes. */
honed_status honed_sparse_f32_plan_create(const honed_conv *conv, const honed_conv_lists *lists, honed_call *call, honed_context *ctx);

typedef struct honed_sparse_f32_task {
  int64_t image, tile, part;
} honed_sparse_f32_task;

static inline honed_sparse_f32_task honed_sparse_f32_task_get(const honed_sparse_f32_plan *plan, int64_t task) {
  return (honed_sparse_f32_task){task / plan->parts / plan->tiles, task / plan->parts % plan->tiles, task % plan->parts};
}

/* Where a tile begins, in units: an even number, so that whole vectors are aligned. Tile `tiles` begins where the last one ends. */
static inline int64_t honed_sparse_f32_tile(const honed_sparse_f32_plan *plan, int64_t tile) {
  if (tile == plan->tiles) return plan->units;
  return 2 * ((tile * plan->units + 2 * plan->tiles - 1) / (2 * plan->tiles));
}

/* The lists of a part begin with this one. */
static inline int64_t honed_sparse_f32_part(const honed_sparse_f32_plan *plan, const honed_conv_lists *lists, int64_t part) {
  return lists->num_lists * part / plan->parts;
}

#endif
