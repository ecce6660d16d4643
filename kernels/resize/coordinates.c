#include <math.h>

#include "resize.h"

/* The region of interest from its first to its last pixel, or its centre. */
static float crop(const honed_resize_params *p, int axis, int64_t size, int64_t out, float index) {
  const float begin = p->roi[axis][0], end = p->roi[axis][1], last = (float)(size - 1);
  return begin * last + (out > 1 ? index * (end - begin) * last / (float)(out - 1) : (end - begin) * last / 2.0f);
}

float honed_resize_position(const honed_resize_params *p, int axis, int64_t size, int64_t out, int64_t index) {
  const float x = (float)index, scale = p->scale[axis] > 0 ? p->scale[axis] : (float)out / (float)size;
  const float half_pixel = (x + 0.5f) / scale - 0.5f;
  switch (p->coordinate_mode) {
    case HONED_RESIZE_PYTORCH_HALF_PIXEL: return out > 1 ? half_pixel : 0.0f;
    case HONED_RESIZE_ALIGN_CORNERS: return out > 1 ? x * (float)(size - 1) / (float)(out - 1) : 0.0f;
    case HONED_RESIZE_ASYMMETRIC: return x / scale;
    case HONED_RESIZE_TF_CROP_AND_RESIZE: return crop(p, axis, size, out, x);
    case HONED_RESIZE_HALF_PIXEL_SYMMETRIC: {
      /* Half pixels are added in double: positions that are whole numbers come out whole. */
      const float adjustment = (float)out / (scale * (float)size), offset = (float)size / 2.0f * (1.0f - adjustment);
      return (float)((double)offset + ((double)x + 0.5) / (double)scale - 0.5);
    }
    default: return half_pixel;
  }
}

float honed_resize_round(float x, int64_t mode) {
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
    const int64_t at = (int64_t)clamp(honed_resize_round(honed_resize_position(p, axis, size, out, i), p->nearest_mode), size);
    positions->near[i] = (int32_t)(at < size ? at : size - 1);
  }
}

void honed_resize_linear_axis(const honed_resize_params *p, int axis, int64_t size, int64_t out, honed_resize_axis *positions) {
  for (int64_t i = 0; i < out; i++) {
    const float x = clamp(honed_resize_position(p, axis, size, out, i), size);
    const int64_t at = (int64_t)x, near = at < size ? at : size - 1;
    positions->near[i] = (int32_t)near;
    positions->far[i] = (int32_t)(near + 1 < size ? near + 1 : near);
    positions->weight[i] = x - (float)near;
  }
}
