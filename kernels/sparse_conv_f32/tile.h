/* The sums of a list's channels over some pixels, in registers: whole vectors, and where the pixels end within one, half a vector. */
#ifndef HONED_SPARSE_CONV_F32_TILE_H
#define HONED_SPARSE_CONV_F32_TILE_H

/* How far ahead lists are fetched, which are read once. */
enum { OFFSETS_AHEAD = 512, WEIGHTS_AHEAD = 1024 };

/* full, half: how many whole vectors, and whether half a one follows. */
ALWAYS void add_step(const float *column, const float *w, int size, int full, int half, floats acc[], __m256 rest[]) {
  floats weight[4];
  HONED_UNROLL4(r, if (r < size) weight[r] = floats_set1(w[r]);)
  HONED_UNROLL12(
      v, if (v < full) {
        const floats pixels = floats_load(column + v * FLOATS);
        HONED_UNROLL4(r, if (r < size) acc[r * full + v] = floats_fma(weight[r], pixels, acc[r * full + v]);)
      })
  if (half) {
    const __m256 pixels = _mm256_loadu_ps(column + full * FLOATS);
    HONED_UNROLL4(r, if (r < size) rest[r] = _mm256_fmadd_ps(floats_low(weight[r]), pixels, rest[r]);)
  }
}

/* The sum joins the residual and is clamped; pixels that are not valid are 0. */
ALWAYS void store_full(const operands *o, const float *residual, float *y, int64_t pixel, floats sum) {
  if (residual != NULL) sum = floats_add(sum, floats_load(residual + pixel));
  sum = floats_clamp(sum, floats_set1(o->p->output.clamp_lo), floats_set1(o->p->output.clamp_hi));
  floats_store(y + pixel, floats_keep(o->plan->valid[pixel / 64] >> (pixel % 64), sum));
}

ALWAYS void store_half(const operands *o, const float *residual, float *y, int64_t pixel, __m256 sum) {
  const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i own = _mm256_and_si256(_mm256_set1_epi32((int32_t)(uint32_t)(o->plan->valid[pixel / 64] >> (pixel % 64))), bit);
  if (residual != NULL) sum = _mm256_add_ps(sum, _mm256_loadu_ps(residual + pixel));
  sum = _mm256_min_ps(_mm256_max_ps(sum, _mm256_set1_ps(o->p->output.clamp_lo)), _mm256_set1_ps(o->p->output.clamp_hi));
  _mm256_storeu_ps(y + pixel, _mm256_and_ps(sum, _mm256_castsi256_ps(_mm256_cmpeq_epi32(own, bit))));
}

ALWAYS void begin_sums(const operands *o, const honed_sparse_segment *s, int size, int full, int half, const float *saved, floats acc[],
                       __m256 rest[]) {
  if (s->first) {
    const honed_conv_list *l = &o->p->lists.lists[s->list];
    HONED_UNROLL4(
        r, if (r < size) {
          const floats bias = floats_set1(o->p->output.bias[l->rows[r]]);
          HONED_UNROLL12(v, if (v < full) acc[r * full + v] = bias;)
          if (half) rest[r] = floats_low(bias);
        })
    return;
  }
  HONED_UNROLL4(
      r, if (r < size) {
        const float *in = saved + r * o->plan->tile_pixels;
        HONED_UNROLL12(v, if (v < full) acc[r * full + v] = floats_load(in + v * FLOATS);)
        if (half) rest[r] = _mm256_loadu_ps(in + full * FLOATS);
      })
}

ALWAYS void end_sums(const operands *o, const honed_sparse_segment *s, int size, int full, int half, float *saved, int64_t pixel,
                     const floats acc[], const __m256 rest[]) {
  if (!s->last) {
    HONED_UNROLL4(
        r, if (r < size) {
          float *out = saved + r * o->plan->tile_pixels;
          HONED_UNROLL12(v, if (v < full) floats_store(out + v * FLOATS, acc[r * full + v]);)
          if (half) _mm256_storeu_ps(out + full * FLOATS, rest[r]);
        })
    return;
  }
  const honed_conv_list *l = &o->p->lists.lists[s->list];
  HONED_UNROLL4(
      r, if (r < size) {
        const honed_tensor *t = o->residual;
        const float *residual = t == NULL ? NULL : (const float *)t->data + o->image * t->image_stride + l->rows[r] * t->plane_stride;
        float *y = (float *)o->y->data + o->image * o->y->image_stride + l->rows[r] * o->y->plane_stride;
        HONED_UNROLL12(v, if (v < full) store_full(o, residual, y, pixel + v * FLOATS, acc[r * full + v]);)
        if (half) store_half(o, residual, y, pixel + full * FLOATS, rest[r]);
      })
}

/* The segments of a run over `width` units of the tile, from its pixel `at` on. */
ALWAYS void run_segments(const operands *o, const honed_sparse_run *run, int size, int width, int64_t at) {
  const int full = width * HONED_UNIT / FLOATS, half = width * HONED_UNIT % FLOATS != 0;
  const honed_sparse_segment *s = o->plan->segments + run[0].segment, *end = o->plan->segments + run[1].segment;
  const uint16_t *offset = o->plan->offsets + run->offset;
  const float *w = o->plan->weights + run->weight, *columns = o->columns + at;
  for (; s < end; s++) {
    floats acc[20];
    __m256 rest[4];
    float *saved = o->sums + s->row * o->plan->tile_pixels + at;
    __builtin_prefetch((const char *)offset + OFFSETS_AHEAD);
    __builtin_prefetch((const char *)w + WEIGHTS_AHEAD);
    begin_sums(o, s, size, full, half, saved, acc, rest);
    uint32_t steps = s->steps;
    for (; steps >= 2; steps -= 2, offset += 2, w += 2 * size) {
      add_step((const float *)((const char *)columns + offset[0]), w, size, full, half, acc, rest);
      add_step((const float *)((const char *)columns + offset[1]), w + size, size, full, half, acc, rest);
    }
    if (steps != 0) {
      add_step((const float *)((const char *)columns + offset[0]), w, size, full, half, acc, rest);
      offset++;
      w += size;
    }
    end_sums(o, s, size, full, half, saved, o->pixel + at, acc, rest);
  }
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN(size, width)                                                                                                   \
  static __attribute__((noinline)) void run_##size##_##width(const operands *o, const honed_sparse_run *run, int64_t at) { \
    if (width <= UNITS_##size) run_segments(o, run, size, width <= UNITS_##size ? width : 1, at);                          \
  }
#define RUN_WIDTHS(size) \
  RUN(size, 1) RUN(size, 2) RUN(size, 3) RUN(size, 4) RUN(size, 5) RUN(size, 6) RUN(size, 7) RUN(size, 8) RUN(size, 9) RUN(size, 10)
RUN_WIDTHS(1)
RUN_WIDTHS(2)
RUN_WIDTHS(4)
#undef RUN_WIDTHS
#undef RUN

typedef void (*run_function)(const operands *o, const honed_sparse_run *run, int64_t at);
static const run_function run_of_size[HONED_LIST_SIZES][HONED_TILE_UNITS + 1] = {
    {NULL, run_1_1, run_1_2, run_1_3, run_1_4, run_1_5, run_1_6, run_1_7, run_1_8, run_1_9, run_1_10},
    {NULL, run_2_1, run_2_2, run_2_3, run_2_4, run_2_5, run_2_6, run_2_7, run_2_8, run_2_9, run_2_10},
    {NULL, run_4_1, run_4_2, run_4_3, run_4_4, run_4_5, run_4_6, run_4_7, run_4_8, run_4_9, run_4_10},
};

#endif
