#include "conv_winograd_f32.h"

#include "base/integers.h"

enum {
  most_vectors = 3,               /* of 16 tiles in a band: the widest tile of the kernels */
  transformed_bytes = 640 * 1024, /* that stay in a second-level cache beside the sums and the weights */
  wanted_tasks = 32,
};

/* The longest band whose transformed pixels fit, then evened out over the plane. */
static void choose_bands(honed_winograd_plan *plan) {
  const int64_t vector_bytes = plan->size * plan->size * plan->channels * HONED_WINOGRAD_LANES * (int64_t)sizeof(float);
  const int64_t longest = honed_smaller(honed_larger(transformed_bytes / vector_bytes, 1), most_vectors);
  const int64_t vectors = honed_divide_up(plan->tiles, HONED_WINOGRAD_LANES);
  const int64_t bands = honed_divide_up(vectors, longest);
  plan->band_tiles = honed_divide_up(vectors, bands) * HONED_WINOGRAD_LANES;
  plan->bands = honed_divide_up(plan->tiles, plan->band_tiles);
}

static void lay_out_scratch(honed_winograd_plan *plan, int64_t tile, int64_t tile_rows) {
  const int64_t n = plan->size, rows = honed_smaller((plan->band_tiles - 2) / plan->row_tiles + 2, tile_rows);
  const int64_t used = (rows + (n - 1) / tile) * plan->row_tiles + HONED_WINOGRAD_LANES; /* whole vectors are stored and loaded */
  plan->phase_stride = honed_divide_up(used, HONED_WINOGRAD_LANES) * HONED_WINOGRAD_LANES;
  /* An odd number of cache lines: the points of a tile do not compete for one set. */
  plan->point_stride = (plan->channels * plan->band_tiles / HONED_WINOGRAD_LANES | 1) * HONED_WINOGRAD_LANES;
  plan->phases_end = tile * n * plan->phase_stride;
  plan->transformed_end = plan->phases_end + n * n * plan->point_stride;
  plan->sums_end = plan->transformed_end + n * n * HONED_WINOGRAD_ROWS * plan->band_tiles;
}

honed_status honed_winograd_plan_create(const honed_winograd_f32 *p, honed_call *call, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  void *memory = NULL;
  const honed_status status = honed_call_alloc(call, sizeof(honed_winograd_plan), &memory, ctx);
  if (status != HONED_OK) return status;
  honed_winograd_plan *plan = memory;
  const int64_t tile_rows = honed_divide_up(y->dims[2], p->tile);
  plan->size = p->tile + honed_divide_up(p->conv.kernel_h, p->conv.stride_h) - 1;
  plan->channels = p->conv.in_channels / p->conv.group * p->conv.phases_h * p->conv.phases_w;
  plan->blocks = honed_divide_up(p->conv.out_channels / p->conv.group, HONED_WINOGRAD_ROWS);
  plan->row_tiles = honed_divide_up(y->dims[3], p->tile);
  plan->tiles = tile_rows * plan->row_tiles;
  choose_bands(plan);
  lay_out_scratch(plan, p->tile, tile_rows);
  const int64_t tasks = y->dims[0] * p->conv.group * plan->bands;
  plan->chunks = tasks == 0 ? 1 : honed_smaller(honed_divide_up(wanted_tasks, tasks), plan->blocks);
  call->plan = plan;
  call->num_tasks = tasks * plan->chunks;
  call->prepares = true;
  call->scratch_bytes = (size_t)(plan->sums_end + (p->tile * p->tile + 1) * plan->band_tiles) * sizeof(float);
  return HONED_OK;
}

honed_winograd_task honed_winograd_task_get(const honed_winograd_plan *plan, int64_t group, int64_t task) {
  const int64_t chunk = task % plan->chunks, band = task / plan->chunks % plan->bands;
  const int64_t outer = task / plan->chunks / plan->bands;
  return (honed_winograd_task){
      .image = outer / group,
      .group = outer % group,
      .tile = band * plan->band_tiles,
      .tile_end = honed_smaller((band + 1) * plan->band_tiles, plan->tiles),
      .block = plan->blocks * chunk / plan->chunks,
      .block_end = plan->blocks * (chunk + 1) / plan->chunks,
  };
}
