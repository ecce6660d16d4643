/* Planes whose rows are read where they lie, whatever strides and gaps they have: a column of vectors is followed from row to row. Include
 * a base/simd_*.h first. */
#include "base/integers.h"
#include "base/planes.h"
#include "base/row_lanes.h"
#include "base/unroll.h"
#include "conv/gate_vector.h"
#include "depthwise_f32.h"

enum {
  /* Of rows of x that are read column by column, so that they stay near from one column to the next; with a stride, from further away. */
  BAND_BYTES = 16 * 1024,
  STRIDED_BAND_BYTES = 64 * 1024,
  ROWS_AHEAD = 8,
};

typedef struct plane {
  const honed_depthwise_f32 *p;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  const float *in, *w, *add;            /* planes; the channel's weights; add may be NULL */
  float *out;
  float bias;
} plane;

/* Columns of y that are computed at once, in rows [row, row_end). first: the column of x that the first tap of the first one reads. inner:
 * no tap of theirs lies outside of the row; else `taps` has the bits of the lanes inside, of the vectors that 3x3 taps read: three, each a
 * column on, or with a stride of two columns, side by side. */
typedef struct columns {
  int64_t column, count, first, row, row_end;
  bool inner;
  uint32_t taps[3];
} columns;

/* Where the next row of some columns of y goes. Read once, since a store of floats might change anything. */
typedef struct sink {
  float *out;
  const float *add; /* NULL where there is no residual */
  int64_t out_stride, add_stride, count;
  vf lo, hi;
} sink;

ALWAYS sink sink_of(const plane *t, const columns *s) {
  return (sink){.out = t->out + s->row * t->y->row_stride + s->column,
                .add = t->add == NULL ? NULL : t->add + s->row * t->residual->row_stride + s->column,
                .out_stride = t->y->row_stride,
                .add_stride = t->add == NULL ? 0 : t->residual->row_stride,
                .count = s->count,
                .lo = vf_set1(t->p->output.clamp_lo),
                .hi = vf_set1(t->p->output.clamp_hi)};
}

/* Adds the residual, clamps and stores the sums of a row. */
ALWAYS void store_row(sink *k, bool full, vf sum) {
  if (k->add != NULL) {
    sum = vf_add(sum, full ? vf_load(k->add) : vf_load_part(k->add, k->count));
    k->add += k->add_stride;
  }
  sum = vf_min(vf_max(sum, k->lo), k->hi);
  if (full) {
    vf_store(k->out, sum);
  } else {
    vf_store_part(k->out, sum, k->count);
  }
  k->out += k->out_stride;
}

/* Columns of a plane by any taps. */
static void run_plane_of_any(const plane *t, const columns *s) {
  const honed_conv *c = &t->p->conv;
  const int64_t width = t->x->dims[3];
  sink k = sink_of(t, s);
  for (int64_t i = s->row; i < s->row_end; i++) {
    vf sum = vf_set1(t->bias);
    for (int64_t ky = 0; ky < c->kernel_h; ky++) {
      const int64_t row = i * c->stride_h + ky * c->dilation_h - c->pad_top;
      const bool outside = row < 0 || row >= t->x->dims[2];
      const float *in = t->in + (outside ? 0 : row * t->x->row_stride), *w = t->w + ky * c->kernel_w;
      for (int64_t kx = 0; kx < c->kernel_w; kx++) {
        const int64_t at = s->first + kx * c->dilation_w, next = at + VF_LANES;
        vf value = load_inside(in, at, lanes_inside(at, width));
        if (c->stride_w == 2) value = vf_even(value, load_inside(in, next, lanes_inside(next, width)));
        sum = vf_fma(vf_set1(w[kx]), outside ? vf_set1(0.0f) : value, sum);
      }
    }
    store_row(&k, s->count == VF_LANES, sum);
  }
}

static void run_any(const plane *t, int64_t count, const columns *s) {
  for (int64_t i = 0; i < count; i++) run_plane_of_any(t + i, s);
}

#include "whole_3x3.h"

static columns columns_from(const honed_conv *c, const honed_tensor *x, const honed_tensor *y, int64_t column) {
  columns s = {.column = column, .count = honed_smaller(y->dims[3] - column, VF_LANES), .first = c->stride_w * column - c->pad_left};
  s.inner = s.first >= 0 && s.first + c->stride_w * (s.count - 1) + (c->kernel_w - 1) * c->dilation_w < x->dims[3];
  for (int i = 0; i < 3; i++) s.taps[i] = lanes_inside(s.first + (c->stride_w == 1 ? i : i * VF_LANES), x->dims[3]);
  return s;
}

static plane plane_at(const honed_call *call, int64_t task) {
  const honed_depthwise_f32 *p = call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t channels = p->conv.out_channels, image = task / channels, oc = task % channels;
  const int64_t of_x = image * x->image_stride + oc / (channels / p->conv.in_channels) * x->plane_stride;
  return (plane){.p = p,
                 .x = x,
                 .y = y,
                 .residual = r,
                 .in = (const float *)x->data + of_x,
                 .w = p->weights + oc * honed_conv_taps(&p->conv),
                 .add = r == NULL ? NULL : (const float *)r->data + image * r->image_stride + oc * r->plane_stride,
                 .out = (float *)y->data + image * y->image_stride + oc * y->plane_stride,
                 .bias = p->output.bias[oc]};
}

/* Zeros in the gaps: by vectors where all of them lie behind the last row, since they are a few. */
ALWAYS void fill_gaps(const plane *t) {
  const honed_tensor *y = t->y;
  if (y->gap_cols > 0) {
    honed_planar_fill_gaps(y, (char *)t->out, 0, y->dims[2]);
    return;
  }
  for (int64_t at = y->dims[2] * y->row_stride; at < y->plane_stride; at += VF_LANES) {
    const int64_t count = y->plane_stride - at;
    if (count >= VF_LANES) {
      vf_store(t->out + at, vf_set1(0.0f));
    } else {
      vf_store_part(t->out + at, vf_set1(0.0f), count);
    }
  }
}

/* Small planes several at a time, so that what is worked out for a column serves them all; large ones by bands of rows. */
ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  enum { MOST_PLANES = 16 };
  const honed_conv *c = &((const honed_depthwise_f32 *)call->params)->conv;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const int64_t band_bytes = c->stride_h == 1 ? BAND_BYTES : STRIDED_BAND_BYTES;
  const int64_t band_rows = honed_larger(band_bytes / ((int64_t)sizeof(float) * c->stride_h * honed_larger(x->row_stride, 1)), ROWS_AHEAD);
  const int64_t planes = honed_smaller(honed_larger(band_rows / honed_larger(y->dims[2], 1), 1), MOST_PLANES);
  void (*const run)(const plane *, int64_t, const columns *) = is_3x3(c) ? run_3x3 : run_any;
  for (int64_t first = begin; first < end; first += planes) {
    const int64_t count = honed_smaller(planes, end - first);
    plane t[MOST_PLANES];
    for (int64_t i = 0; i < count; i++) t[i] = plane_at(call, first + i);
    for (int64_t row = 0; row < y->dims[2]; row += band_rows) {
      for (int64_t column = 0; column < y->dims[3]; column += VF_LANES) {
        columns s = columns_from(c, x, y, column);
        s.row = row;
        s.row_end = honed_smaller(row + band_rows, y->dims[2]);
        run(t, count, &s);
      }
    }
    for (int64_t i = 0; i < count; i++) {
      fill_gaps(&t[i]);
      gate_floats(&t[i].p->output.gate, t[i].out, honed_planar_extent(y));
    }
  }
}
