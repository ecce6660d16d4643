/* How a sparse convolution over planes is cut into tasks: blocks of pixels times chunks of lists. */
#ifndef HONED_CONV_PIXEL_PLAN_H
#define HONED_CONV_PIXEL_PLAN_H

#include "lists.h"

enum { HONED_WORD = 64, HONED_BLOCK_WORDS = 4 }; /* pixels per word; words per block */

typedef struct honed_sparse_conv_plan {
  const int32_t *offsets; /* of x, by entry of the lists (as `ids`), in elements */
  const uint64_t *valid;  /* of y, per word of a plane */
  int64_t pixels;         /* of a plane of y, of which none is valid behind the first used_pixels */
  int64_t used_pixels;
  int64_t blocks, chunks; /* tasks = images * blocks * chunks */
} honed_sparse_conv_plan;

/* What one task works on. Pixels [pixel, pixel_end) are computed; no others up to fill_end are valid. */
typedef struct honed_sparse_conv_task {
  int64_t image, pixel, pixel_end, fill_end, list, list_end;
} honed_sparse_conv_task;

honed_status honed_sparse_conv_plan_create(const honed_conv *conv, const honed_conv_lists *lists, honed_call *call,
                                           honed_sparse_conv_plan **out, honed_context *ctx);

static inline honed_sparse_conv_task honed_sparse_conv_task_get(const honed_sparse_conv_plan *plan, int64_t num_lists, int64_t task) {
  const int64_t chunk = task % plan->chunks, block = task / plan->chunks % plan->blocks;
  const int64_t pixel = block * HONED_BLOCK_WORDS * HONED_WORD;
  const bool last = block == plan->blocks - 1;
  return (honed_sparse_conv_task){
      .image = task / plan->chunks / plan->blocks,
      .pixel = pixel,
      .pixel_end = last ? plan->used_pixels : pixel + HONED_BLOCK_WORDS * HONED_WORD,
      .fill_end = last ? plan->pixels : pixel + HONED_BLOCK_WORDS * HONED_WORD,
      .list = num_lists * chunk / plan->chunks,
      .list_end = num_lists * (chunk + 1) / plan->chunks,
  };
}

#endif
