#include "window.h"

static const char *const names_h[] = {"kernel_h", "stride_h", "dilation_h", "pad_top", "pad_bottom"};
static const char *const names_w[] = {"kernel_w", "stride_w", "dilation_w", "pad_left", "pad_right"};

honed_status honed_window_read(const honed_op_spec *spec, char axis, honed_window *out, honed_context *ctx) {
  const char *const *names = axis == 'h' ? names_h : names_w;
  int64_t ceil = 0;
  honed_status status = honed_attr_int(spec, names[0], 1, 1, HONED_WINDOW_MAX_KERNEL, &out->kernel, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, names[1], 1, 1, HONED_WINDOW_MAX_STEP, &out->stride, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, names[2], 1, 1, HONED_WINDOW_MAX_STEP, &out->dilation, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, names[3], 0, 0, HONED_WINDOW_MAX_STEP, &out->pad_begin, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, names[4], 0, 0, HONED_WINDOW_MAX_STEP, &out->pad_end, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "ceil_mode", 0, 0, 1, &ceil, ctx);
  out->ceil = ceil != 0;
  return status;
}

honed_status honed_window_count(const honed_window *w, int64_t size, int64_t *out, honed_context *ctx) {
  const int64_t room = size + w->pad_begin + w->pad_end - honed_window_reach(w) - 1;
  if (size < 1 || room < 0) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "a window of %lld does not fit into %lld pixels with padding %lld and %lld",
                      (long long)(honed_window_reach(w) + 1), (long long)size, (long long)w->pad_begin, (long long)w->pad_end);
  }
  int64_t count = (w->ceil ? room + w->stride - 1 : room) / w->stride + 1;
  if ((count - 1) * w->stride >= size + w->pad_begin && count > 1) count--;
  *out = count;
  return HONED_OK;
}
