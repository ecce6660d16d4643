/* sums[oc][t] = sum over c of w[c][oc] * v[c][t] at one point, for a block of 16 output channels. */
#ifndef HONED_CONV_WINOGRAD_F32_PRODUCT_H
#define HONED_CONV_WINOGRAD_F32_PRODUCT_H

ALWAYS void product_tile(const honed_winograd_plan *plan, const float *w, const float *v, int rows, int vectors, float *out) {
  const int64_t channels = plan->channels, tiles = plan->band_tiles;
  vf acc[24];
  HONED_UNROLL16(r, if (r < rows) { HONED_UNROLL3(i, if (i < vectors) acc[r * vectors + i] = vf_set1(0.0f);) })
  for (int64_t c = 0; c < channels; c++, w += HONED_WINOGRAD_ROWS, v += tiles) {
    vf a[3];
    /* The weights of the next point come from memory meanwhile. */
    __builtin_prefetch((const void *)((uintptr_t)w + (uintptr_t)channels * HONED_WINOGRAD_ROWS * sizeof *w), 0, 2);
    HONED_UNROLL3(i, if (i < vectors) a[i] = vf_load(v + i * VF_LANES);)
    HONED_UNROLL16(
        r, if (r < rows) {
          const vf b = vf_set1(w[r]);
          HONED_UNROLL3(i, if (i < vectors) acc[r * vectors + i] = vf_fma(b, a[i], acc[r * vectors + i]);)
        })
  }
  HONED_UNROLL16(r, if (r < rows) { HONED_UNROLL3(i, if (i < vectors) vf_store(out + r * tiles + i * VF_LANES, acc[r * vectors + i]);) })
}

/* Functions of their own, so that each has the registers to itself. */
#define PRODUCT(name, rows, vectors)                                                                                                 \
  static __attribute__((noinline)) void name(const honed_winograd_plan *plan, const float *w, const float *v, float *out) {          \
    for (int64_t r = 0; r < HONED_WINOGRAD_ROWS; r += rows) product_tile(plan, w + r, v, rows, vectors, out + r * plan->band_tiles); \
  }
PRODUCT(product_3, TILE_ROWS, 3)
PRODUCT(product_2, TILE_ROWS, 2)
PRODUCT(product_1, 2 * TILE_ROWS, 1)
#undef PRODUCT

/* A few tiles, as are left behind whole vectors or are all that a small plane has: output channels take the lanes. */
ALWAYS void product_of_few(const honed_winograd_plan *plan, const float *w, const float *v, int tiles, float *out) {
  const int vectors = HONED_WINOGRAD_ROWS / VF_LANES;
  vf acc[8];
  HONED_UNROLL8(i, if (i < tiles * vectors) acc[i] = vf_set1(0.0f);)
  for (int64_t c = 0; c < plan->channels; c++, w += HONED_WINOGRAD_ROWS, v += plan->band_tiles) {
    vf factors[HONED_WINOGRAD_ROWS / VF_LANES];
    __builtin_prefetch((const void *)((uintptr_t)w + (uintptr_t)plan->channels * HONED_WINOGRAD_ROWS * sizeof *w), 0, 2);
    HONED_UNROLL2(k, if (k < vectors) factors[k] = vf_load(w + k * VF_LANES);)
    HONED_UNROLL8(i, if (i < tiles * vectors) acc[i] = vf_fma(factors[i % vectors], vf_set1(v[i / vectors]), acc[i]);)
  }
  HONED_UNROLL8(
      i, if (i < tiles * vectors) {
        float rows[VF_LANES];
        vf_store(rows, acc[i]);
        for (int64_t r = 0; r < VF_LANES; r++) out[(i % vectors * VF_LANES + r) * plan->band_tiles + i / vectors] = rows[r];
      })
}

#define PRODUCT_OF_FEW(tiles)                                                                                                             \
  static __attribute__((noinline)) void product_of_##tiles(const honed_winograd_plan *plan, const float *w, const float *v, float *out) { \
    product_of_few(plan, w, v, tiles, out);                                                                                               \
  }
#if FEW_TILES >= 8
PRODUCT_OF_FEW(8)
#endif
#if FEW_TILES >= 4
PRODUCT_OF_FEW(4)
#endif
#undef PRODUCT_OF_FEW

/* The first `tiles` tiles of a vector, of which there are no more than FEW_TILES. */
static void product_few(const honed_winograd_plan *plan, const float *w, const float *v, int64_t tiles, float *out) {
#if FEW_TILES >= 8
  if (tiles > 4) {
    product_of_8(plan, w, v, out);
    return;
  }
#endif
#if FEW_TILES >= 4
  if (tiles > 0) product_of_4(plan, w, v, out);
#else
  (void)plan, (void)w, (void)v, (void)tiles, (void)out;
#endif
}

/* The sums of a block at all points, for the first `tiles` tiles. */
static void multiply_block(const band *b, const float *w) {
  const honed_winograd_plan *plan = b->plan;
  const int64_t tiles = b->task.tile_end - b->task.tile, few = tiles % VF_LANES <= FEW_TILES ? tiles % VF_LANES : 0;
  const int64_t vectors = (tiles - few + VF_LANES - 1) / VF_LANES;
  for (int64_t point = 0; point < plan->size * plan->size; point++, w += plan->channels * HONED_WINOGRAD_ROWS) {
    const float *v = b->transformed + point * plan->point_stride;
    float *out = b->sums + point * HONED_WINOGRAD_ROWS * plan->band_tiles;
    int64_t i = 0;
    /* Four vectors are two tiles of two. */
    for (; vectors - i >= 3 && vectors - i != 4; i += 3) product_3(plan, w, v + i * VF_LANES, out + i * VF_LANES);
    for (; vectors - i >= 2; i += 2) product_2(plan, w, v + i * VF_LANES, out + i * VF_LANES);
    if (i < vectors) product_1(plan, w, v + i * VF_LANES, out + i * VF_LANES);
    product_few(plan, w, v + vectors * VF_LANES, few, out + vectors * VF_LANES);
  }
}

#endif
