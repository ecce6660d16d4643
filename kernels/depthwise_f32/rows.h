/* Planes by 3x3 taps whose columns are adjacent: three rows, read at three distances each. */
#ifndef HONED_DEPTHWISE_F32_ROWS_H
#define HONED_DEPTHWISE_F32_ROWS_H

static bool is_3x3(const honed_conv *c) { return c->kernel_h == 3 && c->kernel_w == 3 && c->stride_w == 1 && c->dilation_w == 1; }

typedef struct rows_3x3 {
  const float *row[3]; /* what the first tap of a row reads for the plane's first pixel */
  floats w[9], bias;
} rows_3x3;

/* What the rows hold from a pixel on: read once, for all distances, where that is cheaper than to read across lines. */
typedef struct ahead {
  floats row[3];
} ahead;

/* One vector; `at` becomes what the next one begins with. left, right: bits of the pixels whose first and last taps of a row lie within it,
 * where `masked`. */
ALWAYS floats sum_3x3(const rows_3x3 *r, ahead *at, bool masked, int64_t pixel, uint64_t left, uint64_t right) {
  floats sum = r->bias;
  HONED_UNROLL3(ky, const float *x = r->row[ky] + pixel; const floats lo = at->row[ky], hi = floats_load(x + FLOATS); at->row[ky] = hi;
                HONED_UNROLL3(kx, floats value = kx == 0 ? lo : floats_between(x, lo, hi, kx);
                              if (masked && kx == 0) value = floats_keep(left, value);
                              if (masked && kx == 2) value = floats_keep(right, value); sum = floats_fma(r->w[3 * ky + kx], value, sum);))
  return sum;
}

/* Vectors up to the last that has valid pixels, then zeros. Two at a time: nine products in a row wait for each other. */
ALWAYS void run_plane_by_rows(const plane *t, bool masked) {
  const honed_plane_plan *plan = t->plan;
  const float *w = t->p->weights + t->oc * 9;
  const uint64_t *left = masked ? plan->columns : NULL, *right = masked ? plan->columns + 2 * plan->words : NULL;
  rows_3x3 r = {.bias = floats_set1(t->p->output.bias[t->oc])};
  HONED_UNROLL3(ky, r.row[ky] = t->x + plan->offsets[3 * ky]; HONED_UNROLL3(kx, r.w[3 * ky + kx] = floats_set1(w[3 * ky + kx]);))
  const int64_t used = plan->used_pixels, all = plan->words * 64;
  int64_t pixel = 0;
  ahead at;
  HONED_UNROLL3(ky, at.row[ky] = floats_load(r.row[ky]);)
  for (; pixel < used; pixel += 2 * FLOATS) {
    const int64_t word = pixel / 64, shift = pixel % 64;
    const uint64_t from = masked ? left[word] >> shift : 0, to = masked ? right[word] >> shift : 0;
    floats acc[2];
    HONED_UNROLL2(v, acc[v] = sum_3x3(&r, &at, masked, pixel + v * FLOATS, from >> v * FLOATS, to >> v * FLOATS);)
    store_tile(t, 2, pixel, plan->valid[word] >> shift, acc);
  }
  if (pixel < all) memset(t->out + pixel, 0, (size_t)(all - pixel) * sizeof(float));
}

static __attribute__((noinline)) void run_plane_of_3x3(const plane *t) { run_plane_by_rows(t, false); }
static __attribute__((noinline)) void run_plane_of_3x3_masked(const plane *t) { run_plane_by_rows(t, true); }

#endif
