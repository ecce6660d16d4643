/* The few pixels that a plane has beyond whole vectors: 49 = 3 * 16 + 1, 196 = 12 * 16 + 4. A vector holds the output channels of a block
 * here, not pixels, so that no lane is idle; sums are added up in the same order as in the other kernels. */
#ifndef HONED_CONV_FLOAT_REST_H
#define HONED_CONV_FLOAT_REST_H

#include <immintrin.h>

enum {
  REST_BLOCKS = 8,
  TAKES_ALONG = TILE_ROWS == HONED_FLOAT_ROWS, /* there are registers for one more pixel of a block */
};

/* Where the plane's pixels beyond whole vectors begin. */
ALWAYS int64_t rest_begin(const honed_band_plan *plan) { return plan->used_pixels / HONED_VECTOR * HONED_VECTOR; }

/* Pixels of the task's band beyond whole vectors that are run apart, since they are few. */
static int64_t rest_of(const operands *o) {
  const int64_t rest = o->plan->used_pixels % HONED_VECTOR;
  if (o->task.vector_end != o->plan->used_vectors || (TAKES_ALONG && o->plan->along > 0)) return 0;
  return rest <= HONED_FLOAT_REST ? rest : 0;
}

ALWAYS __m256 bias_of(const operands *o, int64_t oc) {
  if (oc + HONED_FLOAT_ROWS <= o->oc_end) return _mm256_loadu_ps(o->p->output.bias + oc);
  float bias[HONED_FLOAT_ROWS] = {0};
  for (int64_t r = 0; oc + r < o->oc_end; r++) bias[r] = o->p->output.bias[oc + r];
  return _mm256_loadu_ps(bias);
}

/* Stores the sums of a block at a pixel. */
ALWAYS void store_rest(const operands *o, int64_t oc, int64_t pixel, __m256 sum) {
  const honed_tensor *y = o->y, *r = o->residual;
  float column[HONED_FLOAT_ROWS] = {0};
  const int64_t rows = o->oc_end - oc < HONED_FLOAT_ROWS ? o->oc_end - oc : HONED_FLOAT_ROWS;
  if (r != NULL) {
    const float *add = (const float *)r->data + o->task.image * r->image_stride + oc * r->plane_stride + pixel;
    for (int64_t i = 0; i < rows; i++) column[i] = add[i * r->plane_stride];
    sum = _mm256_add_ps(sum, _mm256_loadu_ps(column));
  }
  sum = _mm256_max_ps(sum, _mm256_set1_ps(o->p->output.clamp_lo));
  _mm256_storeu_ps(column, _mm256_min_ps(sum, _mm256_set1_ps(o->p->output.clamp_hi)));
  float *out = (float *)y->data + o->task.image * y->image_stride + oc * y->plane_stride + pixel;
  for (int64_t i = 0; i < rows; i++) out[i * y->plane_stride] = column[i];
}

/* `blocks` blocks of output channels from oc on, of which the first `count` exist, at `pixels` pixels, of which the plane has `rest`. */
ALWAYS void run_rest_tile(const operands *o, const float *w, int64_t oc, int64_t count, int blocks, int pixels, int constant_taps,
                          int64_t rest) {
  const honed_band_plan *plan = o->plan;
  const int64_t block_floats = honed_band_block_bytes(plan) / (int64_t)sizeof(float);
  const int64_t taps = constant_taps > 0 ? constant_taps : plan->taps, pixel = rest_begin(plan);
  const float *x = o->band + pixel - o->task.vector * HONED_VECTOR, *rows[8];
  __m256 acc[16];
  HONED_UNROLL8(
      b, if (b < blocks) {
        const int64_t own = b < count ? b : 0;
        rows[b] = w + own * block_floats;
        const __m256 bias = bias_of(o, oc + own * HONED_FLOAT_ROWS);
        HONED_UNROLL8(i, if (i < pixels) acc[b * pixels + i] = bias;)
      })
  for (int64_t unit = 0, at = 0; unit < plan->units; unit++, x += o->unit_stride) {
    for (int64_t tap = 0; tap < taps; tap++, at += HONED_FLOAT_ROWS) {
      const float *tile = constant_taps == 1 ? x : x + plan->tap_offset[tap];
      factors8 weights[8];
      HONED_UNROLL8(b, if (b < blocks) weights[b] = factors8_load(rows[b] + at);)
      HONED_UNROLL8(
          i, if (i < pixels) {
            const input8 value = input8_load(tile + i);
            HONED_UNROLL8(b, if (b < blocks) acc[b * pixels + i] = sums8_add(acc[b * pixels + i], value, weights[b]);)
          })
    }
  }
  const uint64_t valid = honed_band_valid(plan, pixel);
  HONED_UNROLL8(
      b, if (b < blocks && b < count) {
        HONED_UNROLL8(
            i,
            if (i < pixels && i < rest && (valid >> i & 1)) { store_rest(o, oc + b * HONED_FLOAT_ROWS, pixel + i, acc[b * pixels + i]); })
      })
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_REST(pixels, blocks, taps)                                                                                              \
  static __attribute__((noinline)) void run_rest_##pixels##_of_##taps(const operands *o, const float *w, int64_t oc, int64_t count, \
                                                                      int64_t rest) {                                               \
    const int64_t block_floats = honed_band_block_bytes(o->plan) / (int64_t)sizeof(float);                                          \
    for (; count > 0; count -= blocks, oc += blocks * HONED_FLOAT_ROWS, w += blocks * block_floats) {                               \
      run_rest_tile(o, w, oc, count, blocks, pixels, taps, rest);                                                                   \
    }                                                                                                                               \
  }
RUN_REST(1, 8, 1)
RUN_REST(2, 4, 1)
RUN_REST(4, REST_OF_4, 1)
RUN_REST(8, REST_OF_8, 1)
RUN_REST(1, 8, 0)
RUN_REST(2, 4, 0)
RUN_REST(4, REST_OF_4, 0)
RUN_REST(8, REST_OF_8, 0)
#undef RUN_REST

typedef void run_rest_of(const operands *o, const float *w, int64_t oc, int64_t count, int64_t rest);

/* `blocks` blocks from oc on, whose weights are at w, at the `rest` pixels of the last vector. */
static void run_rest(const operands *o, const float *w, int64_t oc, int64_t blocks, int64_t rest) {
  static run_rest_of *const kernels[2][4] = {{run_rest_1_of_0, run_rest_2_of_0, run_rest_4_of_0, run_rest_8_of_0},
                                             {run_rest_1_of_1, run_rest_2_of_1, run_rest_4_of_1, run_rest_8_of_1}};
  const honed_tensor *y = o->y;
  float *out = (float *)y->data + o->task.image * y->image_stride + rest_begin(o->plan);
  for (int64_t row = oc; row < oc + blocks * HONED_FLOAT_ROWS && row < o->oc_end; row++) {
    for (int v = 0; v < HONED_VECTOR; v += FLOATS) floats_store(out + row * y->plane_stride + v, floats_set1(0.0f));
  }
  kernels[o->plan->taps == 1][rest == 1 ? 0 : rest == 2 ? 1 : rest <= 4 ? 2 : 3](o, w, oc, blocks, rest);
}

#endif
