/* How a band gets into scratch: [channels][phases][plane_pixels], with its halo, in the row stride of y. */
#ifndef HONED_CONV_F32_COPY_H
#define HONED_CONV_F32_COPY_H

enum { PLANES_AHEAD = 4, CHANNELS_AHEAD = 8 };

/* Planes lie too far apart for a processor to guess what is read next. */
ALWAYS void prefetch(const float *p, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)i * sizeof *p));
}

/* Stores whole registers. */
ALWAYS void copy_run(float *out, const float *in, int64_t count) {
  for (int64_t i = 0; i < count; i += FLOATS) floats_store(out + i, floats_load(in + i));
}

/* Copies the flat pixels [pixel, end) of y's plane from a plane of x with another row stride. Pixels that are not valid get no value. */
ALWAYS void copy_rows(float *out, const float *plane, const honed_tensor *x, const honed_tensor *y, int64_t pixel, int64_t end) {
  int64_t row = pixel / y->row_stride, column = pixel % y->row_stride;
  for (int64_t begin = row * y->row_stride; row < y->dims[2] && begin < end; row++, begin += y->row_stride, column = 0) {
    const int64_t left = end - begin - column, count = y->dims[3] - column;
    copy_run(out + begin + column - pixel, plane + row * x->row_stride + column, count < left ? count : left);
  }
}

static void copy_band(const operands *o) {
  const honed_band_plan *plan = o->plan;
  const honed_tensor *x = o->x;
  const int64_t planes = plan->units * plan->phases, pixel = o->task.vector * HONED_VECTOR;
  const float *group = (const float *)x->data + o->task.image * x->image_stride + o->task.group * planes * x->plane_stride;
  const int64_t first = x->row_stride == o->y->row_stride ? pixel + plan->first_shift : pixel / o->y->row_stride * x->row_stride;
  for (int64_t i = 0; i < planes; i++) {
    const float *plane = group + i * x->plane_stride;
    if (i + PLANES_AHEAD < planes) prefetch(plane + PLANES_AHEAD * x->plane_stride + first, plan->plane_pixels);
    if (x->row_stride == o->y->row_stride) {
      copy_run(o->scratch + i * plan->plane_pixels, plane + first, plan->plane_pixels);
    } else {
      copy_rows(o->scratch + i * plan->plane_pixels, plane, x, o->y, pixel, o->task.vector_end * HONED_VECTOR);
    }
  }
}

/* A 1x1 kernel reads the planes of x where they lie, if its row stride is that of y; all else reads a copy, made where it is `fresh`. */
static void take_band(operands *o, bool fresh) {
  const honed_band_plan *plan = o->plan;
  const honed_tensor *x = o->x;
  if (plan->taps == 1 && x->row_stride == o->y->row_stride) {
    o->unit_stride = x->plane_stride;
    o->pixels = (const float *)x->data + o->task.image * x->image_stride + o->task.group * plan->units * x->plane_stride +
                o->task.vector * HONED_VECTOR + plan->first_shift;
    o->ahead = CHANNELS_AHEAD * x->plane_stride;
    return;
  }
  if (fresh) copy_band(o);
  o->pixels = o->scratch;
  o->unit_stride = plan->phases * plan->plane_pixels;
  o->ahead = 0;
}

#endif
