/* How a band of an input that is whole gets into scratch: rows are split into the phases of a stride of two columns as they are copied, and
 * pads are filled in. */
#ifndef HONED_CONV_FLOAT_SPLIT_H
#define HONED_CONV_FLOAT_SPLIT_H

#include "base/row_lanes.h"

enum { ROWS_AHEAD = 4 };

/* Columns of a row of the padded input in two phases, or in one of which every other column is left out: of phase b, column c is the one at
 * 2 * c + b - pad. */
typedef struct split {
  int64_t phases, pad, width; /* width: of the row without its pads */
  int64_t begin, end;         /* columns of a phase that are wanted */
  int64_t phase_floats;       /* from one phase's column to the next one's */
  uintptr_t bytes_ahead;      /* from a row to one that is fetched */
} split;

/* out: where column 0 of phase 0 would go. */
static void split_row(const split *s, const float *row, float *out) {
  for (int64_t c = s->begin; c < s->end; c += VF_LANES) {
    const int64_t at = 2 * c - s->pad, count = honed_smaller(s->end - c, VF_LANES);
    const vf lo = load_inside(row, at, lanes_inside(at, s->width));
    const vf hi = load_inside(row, at + VF_LANES, lanes_inside(at + VF_LANES, s->width));
    const uintptr_t ahead = (uintptr_t)(row + 2 * c) + s->bytes_ahead;
    __builtin_prefetch((const void *)ahead);
    __builtin_prefetch((const void *)(ahead + VF_LANES * sizeof *row));
    vf_store_part(out + c, vf_even(lo, hi), count);
    if (s->phases > 1) vf_store_part(out + s->phase_floats + c, vf_odd(lo, hi), count);
  }
}

static void clear_row(const split *s, float *out) {
  if (s->begin >= s->end) return;
  for (int64_t b = 0; b < s->phases; b++) memset(out + b * s->phase_floats + s->begin, 0, (size_t)(s->end - s->begin) * sizeof *out);
}

/* The rows of a channel, whose plane is at `in`, in the order in which they lie there. */
static void split_plane(const operands *o, const honed_conv *phases, const char *in, int64_t row_bytes, float *out) {
  const honed_conv *c = &o->p->conv;
  const int64_t row_stride = o->y->row_stride, columns = o->y->dims[3] + honed_conv_reach_w(c);
  const int64_t begin = o->task.vector * HONED_VECTOR, end = begin + o->plan->plane_pixels;
  split s = {.phases = phases->phases_w, .pad = c->pad_left, .width = o->x->dims[3], .phase_floats = o->plan->plane_pixels};
  s.bytes_ahead = ROWS_AHEAD * (uintptr_t)row_bytes;
  for (int64_t row = begin / row_stride, first = row * row_stride; first < end; row++, first += row_stride) {
    s.begin = honed_larger(begin - first, 0);
    s.end = honed_smaller(columns, end - first);
    for (int64_t a = 0; a < phases->phases_h; a++) {
      const int64_t from = c->stride_h * row + a - c->pad_top;
      float *const to = out + a * phases->phases_w * s.phase_floats + (first - begin);
      if (from < 0 || from >= o->x->dims[2]) {
        clear_row(&s, to);
      } else {
        split_row(&s, (const float *)(in + from * row_bytes), to);
      }
    }
  }
}

/* Units are channels. */
static void split_band(const operands *o) {
  const honed_conv phases = honed_conv_split(&o->p->conv);
  const honed_planes x = honed_planes_of(o->x);
  const int64_t channels = phases.in_channels / phases.group, first = o->task.image * phases.in_channels + o->task.group * channels;
  const int64_t unit_floats = phases.phases_h * phases.phases_w * o->plan->plane_pixels;
  for (int64_t i = 0; i < channels; i++) {
    split_plane(o, &phases, x.data + (first + i) * x.plane_bytes, x.row_bytes, o->scratch + i * unit_floats);
  }
}

#endif
