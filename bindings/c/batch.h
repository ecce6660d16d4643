/* Batches whose first operators run a few images at a time: what these read and write stays in caches, as with one image. Later operators
 * (a Gemm reads its weights once for all images) run over the whole batch. */
#ifndef HONED_BATCH_H
#define HONED_BATCH_H

#include "plan.h"

typedef struct honed_batch {
  honed_plan *slice; /* of the first operators, for some images; NULL: all operators run over the whole batch */
  int64_t slices;    /* how many of them make the batch */
  uint32_t *crosses; /* values that the slice computes and that are read behind it; in its tables */
  uint32_t num_crosses;
} honed_batch;

/* `plan`: shaped, not yet placed. Where its inputs are a batch and its first operators admit it, sets up a slice; reshapes and places
 * both. On failure *out has no slice. */
honed_error *honed_batch_plan(honed_plan *plan, const honed_shape *shapes, honed_batch *out);

/* Before slice `index` runs: its inputs, within those of the whole plan. After it has run: hands its values over to the whole plan. */
void honed_batch_bind(const honed_batch *batch, const honed_plan *plan, int64_t index);
void honed_batch_collect(const honed_batch *batch, const honed_plan *plan, int64_t index);

#endif
