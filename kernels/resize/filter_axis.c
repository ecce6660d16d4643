#include <math.h>
#include <string.h>

#include "filter.h"

/* Weights that are computed for an axis; one as long as the greatest that fits into a tensor, filtered to any smaller size, has fewer. */
enum { max_weights = 1 << 28 };

static double filter_at(const honed_filter_params *p, double distance) {
  const double d = fabs(distance), a = (double)p->cubic_a;
  if (p->filter == HONED_FILTER_LINEAR) return d < 1 ? 1 - d : 0;
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* How weights lie around a position: `half` pixels on either side, distances times `step`. */
typedef struct reach {
  double step;
  int64_t half;
} reach;

static honed_status find_reach(const honed_filter_params *p, const honed_resize_params *resize, int axis, int64_t size, int64_t out,
                               reach *result, honed_context *ctx) {
  const double scale = resize->scale[axis] > 0 ? (double)resize->scale[axis] : (double)out / (double)size;
  const double step = p->antialias && scale < 1 ? scale : 1, radius = p->filter == HONED_FILTER_CUBIC ? 2 : 1;
  if (!(2 * (radius / step + 1) * (double)out <= max_weights)) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "a filter for scale %g over %lld pixels, expected at most %d weights", scale,
                      (long long)out, max_weights);
  }
  *result = (reach){step, (int64_t)ceil(radius / step)};
  return HONED_OK;
}

static int64_t clamp(int64_t i, int64_t last) { return i < 0 ? 0 : i > last ? last : i; }

/* Adds the weights around position x, divided by their sum where they have to be, to row i of *axis. */
static void add_weights(const honed_filter_params *p, reach r, double x, int64_t size, int64_t i, honed_filter_axis *axis) {
  const int64_t begin = (int64_t)ceil(x) - r.half, end = begin + 2 * r.half;
  double all = 0, inside = 0;
  for (int64_t j = begin; j < end; j++) {
    const double weight = filter_at(p, r.step * ((double)j - x));
    all += weight;
    if (j >= 0 && j < size) inside += weight;
  }
  const double sum = p->exclude_outside ? inside : p->antialias ? all : 1;
  const int64_t first = clamp(begin, size - axis->taps);
  axis->first[i] = (int32_t)first;
  for (int64_t j = begin; j < end; j++) {
    if (p->exclude_outside && (j < 0 || j >= size)) continue;
    const double weight = filter_at(p, r.step * ((double)j - x));
    axis->weights[(clamp(j, size - 1) - first) * axis->size + i] += (float)(sum != 0 ? weight / sum : weight);
  }
}

static honed_status allocate(honed_call *call, bool crops, honed_filter_axis *axis, honed_context *ctx) {
  void *memory = NULL;
  honed_status status = honed_call_alloc(call, (size_t)axis->size * sizeof(int32_t), &memory, ctx);
  axis->first = memory;
  const size_t bytes = (size_t)(axis->taps * axis->size) * sizeof(float);
  if (status == HONED_OK) status = honed_call_alloc(call, bytes, &memory, ctx);
  axis->weights = memory;
  if (status == HONED_OK) memset(axis->weights, 0, bytes);
  if (status == HONED_OK && crops) {
    status = honed_call_alloc(call, (size_t)axis->size, &memory, ctx);
    axis->outside = memory;
  }
  return status;
}

honed_status honed_filter_axis_make(honed_call *call, const honed_resize_params *resize, int axis, int64_t size, int64_t out,
                                    honed_filter_axis *result, honed_context *ctx) {
  const honed_filter_params *p = call->params;
  reach r = {1, 1};
  honed_status status = find_reach(p, resize, axis, size, out, &r, ctx);
  if (status != HONED_OK) return status;
  const bool nearest = p->filter == HONED_FILTER_NEAREST;
  const int64_t taps = nearest ? 1 : 2 * r.half;
  *result = (honed_filter_axis){.size = out, .taps = taps < size ? taps : size};
  status = allocate(call, resize->coordinate_mode == HONED_RESIZE_TF_CROP_AND_RESIZE, result, ctx);
  if (status != HONED_OK) return status;
  for (int64_t i = 0; i < out; i++) {
    const float given = honed_resize_position(resize, axis, size, out, i), last = (float)(size - 1);
    if (result->outside != NULL) result->outside[i] = !(given >= 0 && given <= last);
    /* Farther out than a filter reaches, every pixel is that at the edge. */
    const double margin = (double)r.half + 1, near = (double)given > -margin ? (double)given : -margin;
    const double x = near < (double)last + margin ? near : (double)last + margin;
    if (nearest) {
      result->first[i] = (int32_t)clamp((int64_t)honed_resize_round((float)x, resize->nearest_mode), size - 1);
      result->weights[i] = 1;
    } else {
      add_weights(p, r, x, size, i, result);
    }
  }
  return HONED_OK;
}
