#include "pixel_plan.h"

#include <stdlib.h>

#include "base/integers.h"

enum { wanted_tasks = 16 }; /* enough for the threads of a small machine to share evenly */

static honed_status resolve_offsets(const honed_conv *conv, const honed_conv_lists *lists, honed_call *call, const int32_t **out,
                                    honed_context *ctx) {
  void *offsets = NULL;
  int32_t *of_tap = malloc((size_t)honed_conv_ids(conv) * sizeof *of_tap);
  if (of_tap == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld taps", (long long)honed_conv_ids(conv));
  honed_status status = honed_call_alloc(call, (size_t)lists->num_ids * sizeof(int32_t), &offsets, ctx);
  if (status == HONED_OK) status = honed_conv_offsets(conv, call->inputs[0], of_tap, ctx);
  if (status == HONED_OK) honed_conv_lists_resolve(lists, of_tap, offsets);
  free(of_tap);
  *out = offsets;
  return status;
}

honed_status honed_sparse_conv_plan_create(const honed_conv *conv, const honed_conv_lists *lists, honed_call *call,
                                           honed_sparse_conv_plan **out, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  void *plan_memory = NULL, *valid = NULL;
  const int32_t *offsets = NULL;
  honed_status status = honed_call_alloc(call, sizeof(honed_sparse_conv_plan), &plan_memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)(y->plane_stride / HONED_WORD) * sizeof(uint64_t), &valid, ctx);
  if (status == HONED_OK) status = resolve_offsets(conv, lists, call, &offsets, ctx);
  if (status != HONED_OK) return status;
  honed_planar_masks(y, valid);
  honed_sparse_conv_plan *plan = plan_memory;
  plan->offsets = offsets;
  plan->valid = valid;
  plan->pixels = y->plane_stride;
  plan->used_pixels = honed_planar_extent(y);
  plan->blocks = honed_divide_up(plan->used_pixels, HONED_BLOCK_WORDS * HONED_WORD);
  const int64_t pixel_tasks = plan->blocks * y->dims[0];
  plan->chunks =
      pixel_tasks >= wanted_tasks || pixel_tasks == 0 ? 1 : honed_smaller(lists->num_lists, honed_divide_up(wanted_tasks, pixel_tasks));
  *out = plan;
  return HONED_OK;
}
