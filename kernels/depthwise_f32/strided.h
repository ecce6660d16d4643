/* Planes by every second column of a whole input: two columns of taps share what is loaded. Include a base/simd_*.h first. */
#include "base/integers.h"
#include "base/planes.h"
#include "base/unroll.h"
#include "depthwise_f32.h"

#define ALWAYS static inline __attribute__((always_inline))

typedef struct plane {
  const honed_depthwise_f32 *p;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  const float *in, *w, *add;            /* planes; the channel's weights; add may be NULL */
  float *out;
  float bias;
} plane;

/* Columns of y that are computed at once. first: the column of x that the first tap of the first one reads; inner: no tap of theirs lies
 * outside of the row. */
typedef struct columns {
  int64_t column, count, first;
  bool inner;
} columns;

/* A vector of the row from column `at` on; 0 outside of the row. */
ALWAYS vf load_inside(const float *row, int64_t at, int64_t width) {
  const int64_t end = honed_larger(honed_smaller(width - at, VF_LANES), 0);
  const int64_t begin = honed_smaller(honed_larger(-at, 0), end);
  return vf_load_lanes((const float *)((uintptr_t)row + (uintptr_t)(at * (int64_t)sizeof *row)), begin, end);
}

/* Clamps and stores the sums of some columns of row i. */
ALWAYS void store_row(const plane *t, columns s, int64_t i, vf sum) {
  const vf lo = vf_set1(t->p->output.clamp_lo), hi = vf_set1(t->p->output.clamp_hi);
  const float *add = t->add == NULL ? NULL : t->add + i * t->residual->row_stride + s.column;
  float *out = t->out + i * t->y->row_stride + s.column;
  if (s.count == VF_LANES) {
    if (add != NULL) sum = vf_add(sum, vf_load(add));
    vf_store(out, vf_min(vf_max(sum, lo), hi));
  } else {
    if (add != NULL) sum = vf_add(sum, vf_load_part(add, s.count));
    vf_store_part(out, vf_min(vf_max(sum, lo), hi), s.count);
  }
}

/* Rows [i, end) of y by any taps. */
static __attribute__((noinline)) void run_rows(const plane *t, columns s, int64_t i, int64_t end) {
  const honed_conv *c = &t->p->conv;
  for (; i < end; i++) {
    vf sum = vf_set1(t->bias);
    for (int64_t ky = 0; ky < c->kernel_h; ky++) {
      const int64_t row = i * c->stride_h + ky * c->dilation_h - c->pad_top;
      if (row < 0 || row >= t->x->dims[2]) continue;
      const float *in = t->in + row * t->x->row_stride, *w = t->w + ky * c->kernel_w;
      for (int64_t kx = 0; kx < c->kernel_w; kx++) {
        const int64_t at = s.first + kx;
        const vf lo = load_inside(in, at, t->x->dims[3]), hi = load_inside(in, at + VF_LANES, t->x->dims[3]);
        sum = vf_fma(vf_set1(w[kx]), vf_even(lo, hi), sum);
      }
    }
    store_row(t, s, i, sum);
  }
}

#include "strided_3x3.h"

static void run_plane(const plane *t) {
  const honed_conv *c = &t->p->conv;
  const int64_t rows = t->y->dims[2], first_row = is_3x3(c) ? honed_smaller(first_inner_row(c), rows) : rows;
  const int64_t end_row = honed_larger(first_row, honed_smaller(end_of_inner_rows(c, t->x->dims[2]), rows));
  for (int64_t column = 0; column < t->y->dims[3]; column += VF_LANES) {
    columns s = {column, honed_smaller(t->y->dims[3] - column, VF_LANES), 2 * column - c->pad_left, false};
    s.inner = s.first >= 0 && s.first + 2 * (s.count - 1) + c->kernel_w <= t->x->dims[3];
    run_rows(t, s, 0, first_row);
    if (first_row < end_row) run_inner_rows(t, s, first_row, end_row);
    run_rows(t, s, end_row, rows);
  }
  honed_planar_fill_gaps(t->y, (char *)t->out, 0, rows);
}

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  const honed_depthwise_f32 *p = call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t channels = p->conv.out_channels, multiplier = channels / p->conv.in_channels;
  plane t = {.p = p, .x = x, .y = y, .residual = r};
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / channels, oc = i % channels;
    t.in = (const float *)x->data + image * x->image_stride + oc / multiplier * x->plane_stride;
    t.out = (float *)y->data + image * y->image_stride + oc * y->plane_stride;
    if (r != NULL) t.add = (const float *)r->data + image * r->image_stride + oc * r->plane_stride;
    t.w = p->weights + oc * honed_conv_taps(&p->conv);
    t.bias = p->output.bias[oc];
    run_plane(&t);
  }
}
