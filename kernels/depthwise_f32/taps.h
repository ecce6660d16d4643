/* Planes by any taps: for each tap its offset, and which pixels it reaches. */
#ifndef HONED_DEPTHWISE_F32_TAPS_H
#define HONED_DEPTHWISE_F32_TAPS_H

/* `vectors` adjacent vectors within a word of 64 pixels or of whole words. masked: taps outside of the row are 0. */
ALWAYS void run_tile_of_any(const plane *t, const bounds *clamp, int vectors, bool masked, int64_t pixel) {
  const honed_plane_plan *plan = t->plan;
  const int64_t taps = honed_conv_taps(&t->p->conv);
  const float *w = t->p->weights + t->oc * taps;
  const floats bias = floats_set1(t->p->output.bias[t->oc]);
  floats acc[8];
  HONED_UNROLL8(v, if (v < vectors) acc[v] = bias;)
  for (int64_t i = 0; i < taps; i++) {
    const float *x = t->x + plan->offsets[i] + pixel;
    const floats weight = floats_set1(w[i]);
    const uint64_t reach = masked ? plan->columns[t->p->taps[i].kx * plan->words + pixel / 64] >> pixel % 64 : 0;
    HONED_UNROLL8(
        v, if (v < vectors) {
          floats value = floats_load(x + v * FLOATS);
          if (masked) value = floats_keep(reach >> v * FLOATS % 64, value);
          acc[v] = floats_fma(weight, value, acc[v]);
        })
  }
  store_tile(t, clamp, vectors, pixel, plan->valid[pixel / 64] >> pixel % 64, acc);
}

/* Words, and what is left over in fewer vectors, then zeros. */
ALWAYS void run_plane_by_taps(const plane *t, bool masked) {
  enum { VECTORS = 64 / FLOATS };
  const bounds clamp = bounds_of(t);
  const int64_t used = t->plan->used_pixels, all = t->plan->words * 64;
  int64_t pixel = 0;
  for (; pixel + 64 - FLOATS < used; pixel += 64) run_tile_of_any(t, &clamp, VECTORS, masked, pixel);
  for (; pixel + (VECTORS / 2 - 1) * FLOATS < used; pixel += VECTORS / 2 * FLOATS) run_tile_of_any(t, &clamp, VECTORS / 2, masked, pixel);
  for (; pixel < used; pixel += FLOATS) run_tile_of_any(t, &clamp, 1, masked, pixel);
  if (pixel < all) memset(t->out + pixel, 0, (size_t)(all - pixel) * sizeof(float));
}

static __attribute__((noinline)) void run_plane_of_any(const plane *t) { run_plane_by_taps(t, false); }
static __attribute__((noinline)) void run_plane_of_any_masked(const plane *t) { run_plane_by_taps(t, true); }

static void (*choose_run(const honed_conv *c, const honed_plane_plan *plan))(const plane *) {
  const bool masked = plan->columns != NULL;
  if (is_square(c, plan, 3)) return masked ? run_plane_of_3x3_masked : run_plane_of_3x3;
  if (is_square(c, plan, 5)) return masked ? run_plane_of_5x5_masked : run_plane_of_5x5;
  return masked ? run_plane_of_any_masked : run_plane_of_any;
}

#endif
