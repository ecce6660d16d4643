#include "plane_plan.h"

honed_status honed_depthwise_check(const honed_conv *c, honed_context *ctx) {
  if (c->group == c->in_channels) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%lld groups of %lld channels, expected one input channel per group", (long long)c->group,
                    (long long)c->in_channels);
}

honed_status honed_plane_plan_create(const honed_conv *conv, const honed_tap *taps, int64_t num_taps, honed_call *call,
                                     honed_context *ctx) {
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  void *memory = NULL, *valid = NULL, *offset_memory = NULL;
  honed_status status = honed_call_alloc(call, sizeof(honed_plane_plan), &memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)(y->plane_stride / 64) * sizeof(uint64_t), &valid, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)num_taps * sizeof(int64_t), &offset_memory, ctx);
  if (status != HONED_OK) return status;
  honed_planar_masks(y, valid);
  int64_t *offsets = offset_memory;
  for (int64_t i = 0; i < num_taps; i++) {
    const int64_t phase = honed_conv_tap_phase(conv, taps[i].ky, taps[i].kx);
    offsets[i] = phase * x->plane_stride + honed_conv_tap_shift(conv, x->row_stride, taps[i].ky, taps[i].kx);
  }
  honed_plane_plan *plan = memory;
  const int64_t used_pixels = honed_planar_extent(y);
  *plan = (honed_plane_plan){
      .valid = valid, .words = y->plane_stride / 64, .used_words = (used_pixels + 63) / 64, .used_pixels = used_pixels, .offsets = offsets};
  call->plan = plan;
  call->num_tasks = y->dims[0] * y->dims[1];
  call->scratch_bytes = 0;
  return HONED_OK;
}
