/* The loops of the kernels with output channels in their lanes, once for all instruction sets. Include a conv/products_*.h first, and
 * define before inclusion what copy.h asks for, and
 *
 *   bytes pixels_apart(bytes)              from bytes_pack of pixel a's two vectors and pixel b's: a's bytes, then b's
 *   void store_16(uint8_t *, bytes, int)   16 bytes of a vector
 *   TILE_RUNS (1 or 2), RUN_MAX (4 to 7)   a tile is so many runs, of at most so many pixels
 */
#include <string.h>

#include "channels.h"
#include "conv/requantize_bytes.h"
#include "copy.h"
#include "words.h"

typedef struct operands {
  const honed_conv_u8s8 *p;
  const honed_band_plan *plan;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  const char *pixels;                   /* the band in scratch */
  uint8_t *words;                       /* the results of a pass over it */
  honed_band_task task;
} operands;

/* The output channels of a pass, from `oc` on; what lies beyond `count` is 0. */
typedef struct pass {
  int64_t oc, count;
  const char *weights;
  int32_t init[CHANNELS_PASS];
  float scale[CHANNELS_PASS], offset[CHANNELS_PASS];
} pass;

static pass pass_get(const operands *o, int64_t block, int64_t skip) {
  const honed_requantize *r = &o->p->requantize;
  const int64_t rows = o->p->conv.out_channels / o->p->conv.group, first = block * HONED_CONV_U8S8_CHANNELS + skip;
  pass p = {
      .oc = o->task.group * rows + first,
      .count = honed_larger(honed_smaller(rows - first, CHANNELS_PASS), 0),
      .weights = (const char *)o->p->weights + (o->task.group * o->plan->blocks + block) * honed_band_block_bytes(o->plan) + 4 * skip};
  const size_t bytes_used = (size_t)p.count * 4;
  memcpy(p.init, r->init + p.oc, bytes_used);
  memcpy(p.scale, r->scale + p.oc, bytes_used);
  memcpy(p.offset, r->offset + p.oc, bytes_used);
  return p;
}

ALWAYS void accumulate(const operands *o, const pass *p, const channels_run runs[TILE_RUNS], int num_runs, int width, ints acc[]) {
  const honed_band_plan *plan = o->plan;
  const int64_t unit_bytes = plan->phases * plan->plane_pixels * 4, block_bytes = honed_band_block_bytes(plan);
  const char *w = p->weights, *x = o->pixels + 4 * runs[0].pixel;
  const int64_t second = 4 * (runs[num_runs - 1].pixel - runs[0].pixel);
  const ints init[2] = {ints_load(p->init), ints_load(p->init + CHANNELS_PASS / 2)};
  HONED_UNROLL14(
      i, if (i < num_runs * width) {
        acc[2 * i] = init[0];
        acc[2 * i + 1] = init[1];
      })
  for (int64_t unit = 0; unit < plan->units; unit++, x += unit_bytes) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += 4 * HONED_CONV_U8S8_CHANNELS) {
      const char *run = x + 4 * plan->tap_offset[tap], *other = run + second;
      const factors w0 = factors_make(ints_load(w)), w1 = factors_make(ints_load(w + 2 * CHANNELS_PASS));
      /* Those of the next block come from memory meanwhile. */
      __builtin_prefetch((const void *)((uintptr_t)w + (uintptr_t)block_bytes), 0, 2);
      if (PASS_HALVES == 2) __builtin_prefetch((const void *)((uintptr_t)w + (uintptr_t)block_bytes + 64), 0, 2);
      HONED_UNROLL14(
          i, if (i < num_runs * width) {
            const products a = products_make(ints_set1(*(const int32_t *)(i < width ? run + 4 * i : other + 4 * (i - width))));
            acc[2 * i] = products_add(acc[2 * i], a, w0);
            acc[2 * i + 1] = products_add(acc[2 * i + 1], a, w1);
          })
    }
  }
}

/* The u8 results of two pixels to their places in the words. */
ALWAYS void store_pair(const operands *o, const pass *p, const ints acc[4], int64_t first, int64_t second) {
  const honed_requantize *r = &o->p->requantize;
  const floats scale[2] = {floats_load(p->scale), floats_load(p->scale + CHANNELS_PASS / 2)};
  const floats offset[2] = {floats_load(p->offset), floats_load(p->offset + CHANNELS_PASS / 2)};
  const floats lo = floats_set1(r->clamp_lo), hi = floats_set1(r->clamp_hi);
  ints q[4];
  bytes packed;
  if (r->gate.kind != HONED_GATE_NONE) {
    packed = requantize_gated_bytes(r, scale, offset, (ints[4]){acc[0], acc[1], acc[2], acc[3]});
  } else if (r->saturates) {
    HONED_UNROLL4(i, q[i] = floats_to_ints(floats_fma(ints_to_floats(acc[i]), scale[i % 2], offset[i % 2]));)
    packed = bytes_pack(q, r->zero_point);
  } else {
    HONED_UNROLL4(i, q[i] = floats_to_ints(floats_clamp(floats_fma(ints_to_floats(acc[i]), scale[i % 2], offset[i % 2]), lo, hi));)
    packed = bytes_pack(q, r->zero_point);
  }
  const bytes y = pixels_apart(packed);
  HONED_UNROLL2(
      half, if (half < (int)PASS_HALVES) {
        store_16(o->words + word_offset(first) + half * HALF_BYTES, y, half);
        store_16(o->words + word_offset(second) + half * HALF_BYTES, y, PASS_HALVES + half);
      })
}

/* The float results of a pixel to their planes. */
static __attribute__((noinline)) void store_floats(const operands *o, const pass *p, const ints acc[2], int64_t pixel) {
  const honed_requantize *r = &o->p->requantize;
  float results[CHANNELS_PASS];
  HONED_UNROLL2(half, {
    const int first = half * CHANNELS_PASS / 2;
    floats_store(results + first, requantize_real(r, acc[half], floats_load(p->scale + first), floats_load(p->offset + first)));
  })
  const int64_t stride = o->y->plane_stride;
  float *out = (float *)o->y->data + o->task.image * o->y->image_stride + p->oc * stride + o->task.vector * HONED_VECTOR + pixel;
  for (int64_t i = 0; i < p->count; i++) out[i * stride] = results[i];
}

ALWAYS void run_tile(const operands *o, const pass *p, const channels_run runs[TILE_RUNS], int num_runs, int width) {
  ints acc[28];
  accumulate(o, p, runs, num_runs, width, acc);
  const int pixels = num_runs * width;
  if (o->y->dtype == HONED_F32) {
    /* A copy, so that the sums themselves have no address and stay in registers. */
    ints copy[28];
    HONED_UNROLL14(
        i, if (i < pixels) {
          copy[2 * i] = acc[2 * i];
          copy[2 * i + 1] = acc[2 * i + 1];
        })
    for (int i = 0; i < pixels; i++) {
      const channels_run *run = &runs[i / width];
      if (i % width < run->count) store_floats(o, p, copy + 2 * i, run->pixel + i % width);
    }
    return;
  }
  HONED_UNROLL7(
      pair, if (2 * pair < pixels) {
        const int a = 2 * pair, b = a + 1 < pixels ? a + 1 : a;
        const ints four[4] = {acc[2 * a], acc[2 * a + 1], acc[2 * b], acc[2 * b + 1]};
        store_pair(o, p, four, runs[a / width].pixel + a % width, runs[b / width].pixel + b % width);
      })
}

/* Functions of their own, so that each has the registers to itself. */
typedef void (*tile_function)(const operands *o, const pass *p, const channels_run runs[TILE_RUNS]);
#define RUN_TILE(name, num_runs, width)                                                                              \
  static __attribute__((noinline)) void name(const operands *o, const pass *p, const channels_run runs[TILE_RUNS]) { \
    run_tile(o, p, runs, num_runs, width);                                                                           \
  }
RUN_TILE(run_tile_1x4, 1, 4)
#if RUN_MAX > 4
RUN_TILE(run_tile_1x5, 1, 5)
RUN_TILE(run_tile_1x6, 1, 6)
RUN_TILE(run_tile_1x7, 1, 7)
#endif
#if TILE_RUNS == 2
RUN_TILE(run_tile_2x4, 2, 4)
RUN_TILE(run_tile_2x5, 2, 5)
RUN_TILE(run_tile_2x6, 2, 6)
RUN_TILE(run_tile_2x7, 2, 7)
#endif
#undef RUN_TILE

static const tile_function tiles[TILE_RUNS][RUN_MAX - CHANNELS_RUN_MIN + 1] = {
#if RUN_MAX > 4
    {run_tile_1x4, run_tile_1x5, run_tile_1x6, run_tile_1x7},
#else
    {run_tile_1x4},
#endif
#if TILE_RUNS == 2
    {run_tile_2x4, run_tile_2x5, run_tile_2x6, run_tile_2x7},
#endif
};

static void run_tiles(const operands *o, const pass *p, int64_t begin, int64_t end) {
  channels_walk walk = channels_walk_make(o->y, RUN_MAX, begin, end);
  channels_run runs[TILE_RUNS];
  for (;;) {
    int count = 0;
    while (count < TILE_RUNS && channels_walk_next(&walk, &runs[count])) count++;
    if (count == 0) return;
    tiles[count - 1][walk.width - CHANNELS_RUN_MIN](o, p, runs);
  }
}

ALWAYS bytes add_residual(const honed_requantize *r, bytes y, bytes residual) {
  ints q[4], other[4];
  bytes_widen(y, q);
  bytes_widen(residual, other);
  HONED_UNROLL4(j, q[j] = floats_to_ints(requantize_sum(r, ints_to_floats(q[j]), ints_to_floats(other[j])));)
  return bytes_pack(q, 0);
}

/* A word of results to the planes: PIXELS pixels from `pixel` on, or the `stored` first of them. */
static void store_word(const operands *o, const pass *p, const uint8_t *word, int64_t pixel, int64_t stored) {
  const uint64_t valid = honed_band_valid(o->plan, pixel);
  const bytes fill = bytes_set1(o->y->zero_point);
  uint8_t *out = (uint8_t *)o->y->data + o->task.image * o->y->image_stride + p->oc * o->y->plane_stride + pixel;
  const uint8_t *residual = NULL;
  if (o->residual != NULL) {
    residual = (const uint8_t *)o->residual->data + o->task.image * o->residual->image_stride + p->oc * o->residual->plane_stride + pixel;
  }
  for (int half = 0; half < PASS_HALVES; half++) {
    bytes rows[16];
    transpose_half(word + half * HALF_BYTES, rows);
    for (int k = 0; k < 16; k++) {
      const int64_t channel = word_channel(half, k);
      if (channel >= p->count) continue;
      bytes y = rows[k];
      if (residual != NULL) y = add_residual(&o->p->requantize, y, bytes_load(residual + channel * o->residual->plane_stride));
      bytes_store_first(out + channel * o->y->plane_stride, bytes_blend(valid, y, fill), stored);
    }
  }
}

/* Zeros between the rows of a float output, whose results are in place. */
static void fill_floats(const operands *o, const pass *p, int64_t begin, int64_t end) {
  for (int64_t i = 0; i < p->count; i++) {
    float *out = (float *)o->y->data + o->task.image * o->y->image_stride + (p->oc + i) * o->y->plane_stride;
    for (int64_t pixel = begin; pixel < end; pixel++) {
      if (!(o->plan->valid[pixel / 64] >> pixel % 64 & 1)) out[pixel] = 0.0f;
    }
  }
}

static void run_pass(const operands *o, const pass *p) {
  const int64_t begin = o->task.vector * HONED_VECTOR, end = o->task.vector_end * HONED_VECTOR, fill_end = o->task.fill_end * HONED_VECTOR;
  run_tiles(o, p, begin, honed_smaller(end, o->plan->used_pixels));
  if (o->y->dtype == HONED_F32) {
    fill_floats(o, p, begin, fill_end);
    return;
  }
  for (int64_t pixel = begin; pixel < fill_end; pixel += PIXELS) {
    /* Words behind the last result have no valid pixel: it does not matter what they hold. */
    const int64_t word = (honed_smaller(pixel, end - 1) - begin) / PIXELS;
    store_word(o, p, o->words + word * WORD_BYTES, pixel, fill_end - pixel);
  }
}

ALWAYS void run_tasks(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  operands o = {.p = call->params,
                .plan = call->plan,
                .x = call->inputs[0],
                .y = call->outputs[0],
                .residual = call->num_inputs == 2 ? call->inputs[1] : NULL,
                .pixels = scratch,
                .words = (uint8_t *)scratch + channels_words_offset(call->plan)};
  for (int64_t i = begin; i < end; i++) {
    o.task = honed_band_task_get(o.plan, i);
    /* Chunks of one band follow each other: the first of a call fills scratch for all. */
    if (i == begin || o.task.first) copy_band(o.p, o.plan, &o.task, o.x, scratch);
    for (int64_t block = o.task.block; block < o.task.block_end; block++) {
      for (int64_t skip = 0; skip < HONED_CONV_U8S8_CHANNELS; skip += CHANNELS_PASS) {
        const pass p = pass_get(&o, block, skip);
        if (p.count > 0) run_pass(&o, &p);
      }
    }
  }
}
