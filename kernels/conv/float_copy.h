/* How a band gets into scratch: [units][phases][plane_pixels], with its halo, in the row stride of y. */
#ifndef HONED_CONV_FLOAT_COPY_H
#define HONED_CONV_FLOAT_COPY_H

#include "float_split.h"

enum { PLANES_AHEAD = 4 * UNIT_CHANNELS, UNITS_AHEAD = 8 };

/* The planes of a unit's channels in one phase. A second one that does not exist is zeros, from pixel to pixel `step` is 0. */
typedef struct unit_planes {
  const float *first, *second;
  int64_t step;
} unit_planes;

/* Planes lie too far apart for a processor to guess what is read next. */
ALWAYS void prefetch(const float *p, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)i * sizeof *p));
}

/* Stores whole registers of the pixels from `pixel` on. */
ALWAYS void copy_run(float *out, const unit_planes *in, int64_t pixel, int64_t count) {
  for (int64_t i = 0; i < count; i += FLOATS) {
    units_store(out + i, in->first + pixel + i, UNIT_CHANNELS == 1 ? NULL : in->second + in->step * (pixel + i));
  }
}

/* Copies the flat pixels [pixel, end) of y's plane from planes of x with another row stride. Pixels that are not valid get no value. */
ALWAYS void copy_rows(float *out, const unit_planes *in, const honed_tensor *x, const honed_tensor *y, int64_t pixel, int64_t end) {
  int64_t row = pixel / y->row_stride, column = pixel % y->row_stride;
  for (int64_t begin = row * y->row_stride; row < y->dims[2] && begin < end; row++, begin += y->row_stride, column = 0) {
    const int64_t left = end - begin - column, count = y->dims[3] - column;
    copy_run(out + begin + column - pixel, in, row * x->row_stride + column, count < left ? count : left);
  }
}

/* `plane`: of the unit's first channel; `left`: channels from it on. */
ALWAYS unit_planes unit_planes_of(const operands *o, const float *plane, int64_t left) {
  static const float zeros[HONED_VECTOR];
  if (UNIT_CHANNELS == 1 || left > 1) return (unit_planes){plane, plane + o->plan->phases * o->x->plane_stride, 1};
  return (unit_planes){plane, zeros, 0};
}

static void copy_band(const operands *o) {
  const honed_band_plan *plan = o->plan;
  const honed_tensor *x = o->x;
  const bool alike = x->row_stride == o->y->row_stride;
  const int64_t channels = o->p->conv.in_channels / o->p->conv.group, pixel = o->task.vector * HONED_VECTOR;
  const float *plane = (const float *)x->data + o->task.image * x->image_stride + o->task.group * channels * plan->phases * x->plane_stride;
  const int64_t first = alike ? pixel + plan->first_shift : pixel / o->y->row_stride * x->row_stride;
  float *out = o->scratch;
  for (int64_t channel = 0; channel < channels; channel += UNIT_CHANNELS, plane += (UNIT_CHANNELS - 1) * plan->phases * x->plane_stride) {
    for (int64_t phase = 0; phase < plan->phases; phase++, plane += x->plane_stride, out += plan->plane_pixels) {
      const unit_planes in = unit_planes_of(o, plane, channels - channel);
      const bool more = (channels - channel) * plan->phases - phase > PLANES_AHEAD;
      if (more) prefetch(in.first + PLANES_AHEAD * x->plane_stride + first, plan->plane_pixels);
      if (more && UNIT_CHANNELS == 2) prefetch(in.second + in.step * (PLANES_AHEAD * x->plane_stride + first), plan->plane_pixels);
      if (alike) {
        copy_run(out, &in, first, plan->plane_pixels);
      } else {
        copy_rows(out, &in, x, o->y, pixel, o->task.vector_end * HONED_VECTOR);
      }
    }
  }
}

/* A 1x1 kernel whose units are planes reads them where they lie, if the plan says so; all else reads a copy, made where it is `fresh`. */
static void take_band(operands *o, bool fresh) {
  const honed_band_plan *plan = o->plan;
  const honed_tensor *x = o->x;
  if (plan->in_place) {
    o->unit_stride = x->plane_stride;
    o->band = (const float *)x->data + o->task.image * x->image_stride + o->task.group * plan->units * x->plane_stride +
              o->task.vector * HONED_VECTOR + plan->first_shift;
    o->ahead = UNITS_AHEAD * x->plane_stride;
    return;
  }
  if (fresh && UNIT_CHANNELS == 1 && o->p->conv.whole) {
    split_band(o);
  } else if (fresh) {
    copy_band(o);
  }
  o->band = o->scratch;
  o->unit_stride = plan->phases * plan->plane_pixels;
  o->ahead = 0;
}

#endif
