/* Rows of y whose 3x3 taps lie within the rows of x but for the first row of taps, which may lie above. Each second row of x is the last of
 * a row of y and the first of the next. */
#ifndef HONED_DEPTHWISE_F32_STRIDED_3X3_H
#define HONED_DEPTHWISE_F32_STRIDED_3X3_H

static bool is_3x3(const honed_conv *c) { return c->kernel_h == 3 && c->kernel_w == 3 && c->stride_h == 2 && c->dilation_h == 1; }
static int64_t first_inner_row(const honed_conv *c) { return c->pad_top / 2; }
static int64_t end_of_inner_rows(const honed_conv *c, int64_t height) { return (height - 3 + c->pad_top) / 2 + 1; }

/* What the three taps of a row read. */
typedef struct taps {
  vf of[3];
} taps;

/* The third reads what the first does, one column on. */
ALWAYS taps read_row(const float *row, int64_t first, bool inner, int64_t width) {
  const int64_t next = first + 2 * VF_LANES;
  const vf lo = inner ? vf_load(row + first) : load_inside(row, first, width);
  const vf hi = inner ? vf_load(row + first + VF_LANES) : load_inside(row, first + VF_LANES, width);
  const vf even = vf_even(lo, hi);
  return (taps){{even, vf_odd(lo, hi), vf_shift_in(even, inner || next < width ? row[next] : 0.0f)}};
}

ALWAYS vf add_taps(vf sum, const taps *x, const vf *w) {
  return vf_fma(w[2], x->of[2], vf_fma(w[1], x->of[1], vf_fma(w[0], x->of[0], sum)));
}

/* inner, full: of the columns, constant. */
ALWAYS void run_3x3(const plane *t, columns s, bool inner, bool full, int64_t i, int64_t end) {
  const int64_t width = t->x->dims[3], row_stride = t->x->row_stride;
  const float *row = t->in + (2 * i - t->p->conv.pad_top) * row_stride;
  const vf bias = vf_set1(t->bias);
  vf w[9];
  HONED_UNROLL8(k, w[k] = vf_set1(t->w[k]);)
  w[8] = vf_set1(t->w[8]);
  if (full) s.count = VF_LANES;
  taps top = {{vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f)}};
  if (2 * i >= t->p->conv.pad_top) top = read_row(row, s.first, inner, width);
  for (; i < end; i++, row += 2 * row_stride) {
    const taps middle = read_row(row + row_stride, s.first, inner, width);
    const vf sum = add_taps(add_taps(bias, &top, w), &middle, w + 3);
    top = read_row(row + 2 * row_stride, s.first, inner, width);
    store_row(t, s, i, add_taps(sum, &top, w + 6));
  }
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_3X3(name, inner, full) \
  static __attribute__((noinline)) void name(const plane *t, columns s, int64_t i, int64_t end) { run_3x3(t, s, inner, full, i, end); }
RUN_3X3(run_3x3_inner_full, true, true)
RUN_3X3(run_3x3_inner, true, false)
RUN_3X3(run_3x3_edge_full, false, true)
RUN_3X3(run_3x3_edge, false, false)
#undef RUN_3X3

static void run_inner_rows(const plane *t, columns s, int64_t i, int64_t end) {
  const bool full = s.count == VF_LANES;
  (s.inner ? (full ? run_3x3_inner_full : run_3x3_inner) : (full ? run_3x3_edge_full : run_3x3_edge))(t, s, i, end);
}

#endif
