/* Planes by 3x3 or 5x5 taps whose columns are adjacent: rows that are read once for all distances. */
#ifndef HONED_DEPTHWISE_F32_ROWS_H
#define HONED_DEPTHWISE_F32_ROWS_H

enum { FEW_TAPS = 3, MOST_TAPS = 5 }; /* of a row and of a column */

/* Whether the kernel is taps x taps, its columns are adjacent, and where some of them are masked, the middle one reads the pixel's own. */
static bool is_square(const honed_conv *c, const honed_plane_plan *plan, int64_t taps) {
  return c->kernel_h == taps && c->kernel_w == taps && c->stride_w == 1 && c->dilation_w == 1 &&
         (plan->columns == NULL || c->pad_left == taps / 2);
}

/* taps, masked (whether other columns than the middle one may lie outside of a row): constants. */
typedef struct rows {
  int taps;
  bool masked;
  const float *row[MOST_TAPS]; /* what the first tap of a row reads for the plane's first pixel */
  const float *w;
  floats held[FEW_TAPS * FEW_TAPS], bias; /* held: weights, where registers hold them all */
  bounds clamp;
} rows;

/* What the rows hold from a pixel on: read once, for all distances, where that is cheaper than to read across lines. */
typedef struct ahead {
  floats row[MOST_TAPS];
} ahead;

/* n adjacent vectors, a constant up to 4: products in a row wait for each other. `at` becomes what the next one begins with. */
ALWAYS void run_vectors(const plane *t, const rows *r, ahead *at, int n, int64_t pixel) {
  const honed_plane_plan *plan = t->plan;
  const int64_t word = pixel / 64, shift = pixel % 64;
  uint64_t reach[MOST_TAPS] = {0}; /* of each column: bits of the pixels whose tap lies within the row */
  HONED_UNROLL5(kx, if (r->masked && kx < r->taps) reach[kx] = plan->columns[kx * plan->words + word] >> shift;)
  floats acc[4];
  HONED_UNROLL4(v, if (v < n) acc[v] = r->bias;)
  HONED_UNROLL5(
      ky, if (ky < r->taps) {
        HONED_UNROLL4(
            v, if (v < n) {
              const float *x = r->row[ky] + pixel + v * FLOATS;
              const floats lo = at->row[ky], hi = floats_load(x + FLOATS);
              at->row[ky] = hi;
              HONED_UNROLL5(
                  kx, if (kx < r->taps) {
                    const bool kept = r->masked && kx != r->taps / 2;
                    const uint64_t inside = reach[kx] >> v * FLOATS;
                    const floats value = kept ? (kx == 0 ? floats_keep(inside, lo) : floats_between_kept(inside, x, lo, hi, kx))
                                              : (kx == 0 ? lo : floats_between(x, lo, hi, kx));
                    const floats weight = r->taps == FEW_TAPS ? r->held[(ky * FEW_TAPS + kx) % 9] : floats_set1(r->w[ky * r->taps + kx]);
                    acc[v] = floats_fma(weight, value, acc[v]);
                  })
            })
      })
  store_tile(t, &r->clamp, n, pixel, plan->valid[word] >> shift, acc);
}

/* Vectors up to the last that has valid pixels, then zeros. */
ALWAYS void run_plane_by_rows(const plane *t, int taps, bool masked) {
  const honed_plane_plan *plan = t->plan;
  rows r = {.taps = taps, .masked = masked, .w = t->p->weights + t->oc * taps * taps, .clamp = bounds_of(t)};
  r.bias = floats_set1(t->p->output.bias[t->oc]);
  ahead at;
  HONED_UNROLL5(
      ky, if (ky < taps) {
        r.row[ky] = t->x + plan->offsets[taps * ky];
        at.row[ky] = floats_load(r.row[ky]);
      })
  HONED_UNROLL3(ky, HONED_UNROLL3(kx, r.held[3 * ky + kx] = floats_set1(r.w[3 * ky + kx]);))
  const int64_t all = plan->words * 64;
  int64_t pixel = 0;
  for (; taps != FEW_TAPS && pixel + 3 * FLOATS < plan->used_pixels; pixel += 4 * FLOATS) {
    __asm__("" : "+r"(r.w)); /* weights that registers do not hold are read each time, not once to be stored on the stack */
    run_vectors(t, &r, &at, 4, pixel);
  }
  for (; pixel < plan->used_pixels; pixel += 2 * FLOATS) run_vectors(t, &r, &at, 2, pixel);
  if (pixel < all) memset(t->out + pixel, 0, (size_t)(all - pixel) * sizeof(float));
}

#define RUN_PLANE(name, taps, masked) \
  static __attribute__((noinline)) void name(const plane *t) { run_plane_by_rows(t, taps, masked); }
RUN_PLANE(run_plane_of_3x3, 3, false)
RUN_PLANE(run_plane_of_3x3_masked, 3, true)
RUN_PLANE(run_plane_of_5x5, 5, false)
RUN_PLANE(run_plane_of_5x5_masked, 5, true)
#undef RUN_PLANE

#endif
