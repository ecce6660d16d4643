#include "plan.h"

#include "base/integers.h"
#include "conv/reach.h"
#include "segments.h"

enum {
  /* More than a first-level cache holds: to read some of it from the second costs less than to save sums more often. Offsets have 16 bits.
   */
  chunk_bytes = 52 * 1024,
  wanted_tasks = 8,
  part_lists = 16, /* a part has at least so many: each copies the columns anew */
};

static void choose_tiles(const honed_tensor *y, honed_sparse_f32_plan *plan) {
  plan->units = honed_divide_up(honed_planar_extent(y), HONED_UNIT);
  plan->tiles = honed_larger(honed_divide_up(plan->units, HONED_TILE_UNITS), 1);
  int64_t widest = 0;
  for (int64_t i = 0; i < plan->tiles; i++) {
    widest = honed_larger(widest, honed_sparse_f32_tile(plan, i + 1) - honed_sparse_f32_tile(plan, i));
  }
  plan->tile_pixels = honed_larger(honed_divide_up(widest, 2), 1) * 2 * HONED_UNIT;
}

static void choose_chunks(const honed_conv *conv, const honed_conv_lists *lists, int64_t images, honed_sparse_f32_plan *plan) {
  const int64_t most = chunk_bytes / ((int64_t)sizeof(float) * plan->tile_pixels);
  plan->columns = honed_conv_ids(conv);
  plan->chunks = honed_divide_up(plan->columns, most);
  plan->chunk_columns = honed_divide_up(plan->columns, plan->chunks);
  plan->parts = 1;
  if (images > 0) {
    plan->parts = honed_smaller(honed_divide_up(wanted_tasks, images * plan->tiles), lists->num_lists / part_lists);
  }
  plan->parts = honed_larger(plan->parts, 1);
}

static honed_status make_masks(const honed_conv *conv, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  void *valid = NULL;
  plan->words = y->plane_stride / 64;
  honed_status status = honed_call_alloc(call, (size_t)plan->words * sizeof(uint64_t), &valid, ctx);
  if (status != HONED_OK) return status;
  honed_planar_masks(y, valid);
  plan->valid = valid;
  return honed_conv_reach(conv, call, &plan->reach, ctx);
}

honed_status honed_sparse_f32_plan_create(const honed_conv *conv, const honed_conv_lists *lists, honed_call *call, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  void *memory = NULL, *of_tap = NULL;
  honed_status status = honed_call_alloc(call, sizeof(honed_sparse_f32_plan), &memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)honed_conv_ids(conv) * sizeof(int32_t), &of_tap, ctx);
  if (status == HONED_OK) status = honed_conv_offsets(conv, call->inputs[0], of_tap, ctx);
  if (status != HONED_OK) return status;
  honed_sparse_f32_plan *plan = memory;
  plan->of_tap = of_tap;
  choose_tiles(y, plan);
  choose_chunks(conv, lists, y->dims[0], plan);
  status = make_masks(conv, call, plan, ctx);
  if (status == HONED_OK) status = honed_sparse_segments_make(lists, call, plan, ctx);
  if (status != HONED_OK) return status;
  call->plan = plan;
  call->num_tasks = y->dims[0] * plan->tiles * plan->parts;
  call->scratch_bytes = (size_t)((plan->chunk_columns + conv->out_channels) * plan->tile_pixels) * sizeof(float);
  return HONED_OK;
}
