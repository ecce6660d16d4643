/* 3x3 taps of stride 1 or 2: weights and the rows that the next row of y reads again stay in registers. */
#ifndef HONED_DEPTHWISE_F32_WHOLE_3X3_H
#define HONED_DEPTHWISE_F32_WHOLE_3X3_H

enum { LINE_FLOATS = 16 };

static bool is_3x3(const honed_conv *c) {
  return c->kernel_h == 3 && c->kernel_w == 3 && c->stride_h == c->stride_w && c->dilation_h == 1 && c->dilation_w == 1;
}

/* What the three taps of a row read. */
typedef struct taps {
  vf of[3];
} taps;

/* Rows of x, from the column on that the first taps read. */
typedef struct source {
  uintptr_t at;                     /* of the next row to be read, which may lie outside of the plane */
  int64_t row, height;              /* its number; rows of the plane */
  uintptr_t row_bytes, bytes_ahead; /* from row to row, and to the one to prefetch */
  bool third;                       /* of stride 2: the last column's third tap lies within the row */
  uint32_t inside[3];
} source;

ALWAYS source source_of(const plane *t, const columns *s) {
  const int64_t row = t->p->conv.stride_h * s->row - t->p->conv.pad_top, from = row * t->x->row_stride + s->first;
  const uintptr_t row_bytes = (uintptr_t)t->x->row_stride * sizeof *t->in;
  return (source){.at = (uintptr_t)t->in + (uintptr_t)from * sizeof *t->in,
                  .row = row,
                  .height = t->x->dims[2],
                  .row_bytes = row_bytes,
                  .bytes_ahead = ROWS_AHEAD * row_bytes,
                  .third = (s->taps[2] & 1) != 0,
                  .inside = {s->taps[0], s->taps[1], s->taps[2]}};
}

/* Of two columns each, the third tap reads what the first one does, a column on. */
ALWAYS taps read_inside(const source *x, int stride, bool inner, const float *row) {
  if (stride == 1) {
    taps t;
    HONED_UNROLL3(kx, t.of[kx] = inner ? vf_load(row + kx) : load_inside(row, kx, x->inside[kx]);)
    return t;
  }
  static const float nothing = 0.0f;
  const vf lo = inner ? vf_load_once(row) : load_inside(row, 0, x->inside[0]);
  const vf hi = inner ? vf_load_once(row + VF_LANES) : load_inside(row, VF_LANES, x->inside[1]);
  const vf even = vf_even_mixed(lo, hi);
  return (taps){{even, vf_odd_mixed(lo, hi), vf_shift_in_mixed(even, inner || x->third ? row + 2 * VF_LANES : &nothing)}};
}

ALWAYS taps read_row(source *x, int stride, bool inner) {
  const float *row = (const float *)x->at;
  const bool outside = (uint64_t)x->row >= (uint64_t)x->height;
  x->at += x->row_bytes;
  x->row++;
  if (outside) return (taps){{vf_set1(0.0f), vf_set1(0.0f), vf_set1(0.0f)}};
  const uintptr_t ahead = (uintptr_t)row + x->bytes_ahead;
  __builtin_prefetch((const void *)ahead);
  if (stride * VF_LANES > LINE_FLOATS) __builtin_prefetch((const void *)(ahead + LINE_FLOATS * sizeof *row));
  return read_inside(x, stride, inner, row);
}

ALWAYS vf add_taps(vf sum, const taps *x, const vf *w) {
  return vf_fma(w[2], x->of[2], vf_fma(w[1], x->of[1], vf_fma(w[0], x->of[0], sum)));
}

/* Columns of a plane. stride, inner, full: constant. */
ALWAYS void run_columns(const plane *t, const columns *s, int stride, bool inner, bool full) {
  source x = source_of(t, s);
  sink k = sink_of(t, s);
  const vf bias = vf_set1(t->bias);
  vf w[9];
  HONED_UNROLL8(i, w[i] = vf_set1(t->w[i]);)
  w[8] = vf_set1(t->w[8]);
  taps top = read_row(&x, stride, inner), middle = read_row(&x, stride, inner);
  for (int64_t left = s->row_end - s->row; left > 0; left--) {
    const taps bottom = read_row(&x, stride, inner);
    const vf sum = add_taps(add_taps(add_taps(bias, &top, w), &middle, w + 3), &bottom, w + 6);
    store_row(&k, full, stride == 1 ? sum : vf_unmix(sum));
    top = stride == 1 ? middle : bottom;
    middle = stride == 1 || left == 1 ? bottom : read_row(&x, stride, inner);
  }
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_3X3(name, stride, inner, full)                                                      \
  static __attribute__((noinline)) void name(const plane *t, int64_t count, const columns *s) { \
    for (int64_t i = 0; i < count; i++) run_columns(t + i, s, stride, inner, full);             \
  }
RUN_3X3(run_1_edge, 1, false, false)
RUN_3X3(run_1_edge_full, 1, false, true)
RUN_3X3(run_1_inner, 1, true, false)
RUN_3X3(run_1_inner_full, 1, true, true)
RUN_3X3(run_2_edge, 2, false, false)
RUN_3X3(run_2_edge_full, 2, false, true)
RUN_3X3(run_2_inner, 2, true, false)
RUN_3X3(run_2_inner_full, 2, true, true)
#undef RUN_3X3

static void run_3x3(const plane *t, int64_t count, const columns *s) {
  static void (*const runs[2][2][2])(const plane *, int64_t, const columns *) = {
      {{run_1_edge, run_1_edge_full}, {run_1_inner, run_1_inner_full}}, {{run_2_edge, run_2_edge_full}, {run_2_inner, run_2_inner_full}}};
  runs[t->p->conv.stride_w - 1][s->inner][s->count == VF_LANES](t, count, s);
}

#endif
