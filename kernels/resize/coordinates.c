#include <math.h>

#include "resize.h"

enum { max_size = 1 << 30 };

honed_status honed_resize_size(const honed_resize_params *p, int axis, int64_t size, int64_t *out, honed_context *ctx) {
  const float scaled = (float)size * p->scale[axis];
  const char name = axis == 0 ? 'h' : 'w';
  if (size < 1 || size > max_size) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld pixels along %c, expected 1 to %d", (long long)size, name, max_size);
  }
  if (p->out[axis] == 0 && !p->like && !(scaled >= 1.0f && scaled <= (float)max_size)) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld pixels times scale_%c %g, expected a size of 1 to %d", (long long)size, name,
                      (double)p->scale[axis], max_size);
  }
  *out = p->out[axis] != 0 || p->like ? p->out[axis] : (int64_t)scaled;
  return HONED_OK;
}

/* The position in the input of output pixel `index`. */
static float position(const honed_resize_params *p, int axis, int64_t size, int64_t out, int64_t index) {
  const float x = (float)index, scale = p->scale[axis] > 0 ? p->scale[axis] : (float)out / (float)size;
  const float half_pixel = (x + 0.5f) / scale - 0.5f;
  switch (p->coordinate_mode) {
    case HONED_RESIZE_PYTORCH_HALF_PIXEL: return out > 1 ? half_pixel : 0.0f;
    case HONED_RESIZE_ALIGN_CORNERS: return out > 1 ? x * (float)(size - 1) / (float)(out - 1) : 0.0f;
    case HONED_RESIZE_ASYMMETRIC: return x / scale;
    case HONED_RESIZE_HALF_PIXEL_SYMMETRIC: {
      /* Half pixels are added in double: positions that are whole numbers come out whole. */
      const float adjustment = (float)out / (scale * (float)size), offset = (float)size / 2.0f * (1.0f - adjustment);
      return (float)((double)offset + ((double)x + 0.5) / (double)scale - 0.5);
    }
    default: return half_pixel;
  }
}

static float round_position(float x, int64_t mode) {
  switch (mode) {
    case HONED_RESIZE_FLOOR: return floorf(x);
    case HONED_RESIZE_CEIL: return ceilf(x);
    case HONED_RESIZE_ROUND_PREFER_CEIL: return floorf(x) + (x - floorf(x) >= 0.5f ? 1.0f : 0.0f);
    default: return floorf(x) + (x - floorf(x) > 0.5f ? 1.0f : 0.0f);
  }
}

static float clamp(float x, int64_t size) {
  const float last = (float)(size - 1);
  return x > 0.0f ? (x < last ? x : last) : 0.0f;
}

void honed_resize_nearest_axis(const honed_resize_params *p, int axis, int64_t size, int64_t out, honed_resize_axis *positions) {
  for (int64_t i = 0; i < out; i++) {
    const int64_t at = (int64_t)clamp(round_position(position(p, axis, size, out, i), p->nearest_mode), size);
    positions->near[i] = (int32_t)(at < size ? at : size - 1);
  }
}

void honed_resize_linear_axis(const honed_resize_params *p, int axis, int64_t size, int64_t out, honed_resize_axis *positions) {
  for (int64_t i = 0; i < out; i++) {
    const float x = clamp(position(p, axis, size, out, i), size);
    const int64_t at = (int64_t)x, near = at < size ? at : size - 1;
    positions->near[i] = (int32_t)near;
    positions->far[i] = (int32_t)(near + 1 < size ? near + 1 : near);
    positions->weight[i] = x - (float)near;
  }
}
