/* The loops of the vector kernels, once. Define before inclusion
 *
 *   sums                                  type: 16 pixels in s32
 *   sums sums_set1(int32_t)
 *   quads, quads_load(const uint8_t *)    16 pixels of four channels side by side, ready to be multiplied
 *   factors, factors_load(const int8_t *) four weights of one output channel, broadcast
 *   sums sums_add(sums acc, quads, factors)
 *   void sums_store_u8(const honed_requantize *, int64_t oc, sums, const uint8_t *residual or NULL, uint32_t valid, uint8_t fill, uint8_t *)
 *   void sums_store_f32(const honed_requantize *, int64_t oc, sums, uint32_t valid, float *)
 *   void interleave(const uint8_t *a, b, c, d, uint8_t *out)   64 pixels of four planes, side by side per pixel
 *   TILE_ROWS (4 or 8), TILE_VECTORS (1 to 3) */
#include <string.h>

#include "base/unroll.h"
#include "conv_u8s8.h"

#define ALWAYS static inline __attribute__((always_inline))

typedef struct operands {
  const honed_conv_u8s8 *p;
  const honed_band_plan *plan;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  uint8_t *scratch;
  honed_band_task task;
} operands;

static const uint8_t zeros[64];

/* Copies the band's pixels, with their halo, to scratch [quads][phases][plane_pixels][4]. A channel that the last quad lacks is 0. */
static void copy_band(const operands *o) {
  const honed_band_plan *plan = o->plan;
  const honed_conv *c = &o->p->conv;
  const int64_t channels = c->in_channels / c->group;
  const uint8_t *x = (const uint8_t *)o->x->data + o->task.image * o->x->image_stride;
  x += o->task.vector * HONED_VECTOR + plan->first_shift + o->task.group * channels * plan->phases * o->x->plane_stride;
  uint8_t *out = o->scratch;
  for (int64_t quad = 0; quad < o->p->quads; quad++) {
    for (int64_t phase = 0; phase < plan->phases; phase++) {
      const uint8_t *plane[4];
      int64_t step[4];
      for (int64_t k = 0; k < 4; k++) {
        const bool present = 4 * quad + k < channels;
        plane[k] = present ? x + ((4 * quad + k) * plan->phases + phase) * o->x->plane_stride : zeros;
        step[k] = present ? 64 : 0;
      }
      for (int64_t pixel = 0; pixel < plan->plane_pixels; pixel += 64, out += 256) {
        interleave(plane[0], plane[1], plane[2], plane[3], out);
        for (int64_t k = 0; k < 4; k++) plane[k] += step[k];
      }
    }
  }
}

/* Sums of `rows` output channels (blocks beside each other in w) over `vectors` vectors; `x` is the tile's first pixel in scratch. */
ALWAYS void accumulate(const operands *o, const int8_t *w, int64_t oc, int rows, int vectors, const uint8_t *x, sums acc[]) {
  const honed_band_plan *plan = o->plan;
  const int64_t block_bytes = o->p->quads * plan->taps * 16, unit_bytes = plan->phases * plan->plane_pixels * 4;
  const int64_t last = o->p->conv.out_channels - 1;
  HONED_UNROLL8(r, if (r < rows) {
    const sums init = sums_set1(o->p->requantize.init[oc + r < last ? oc + r : last]);
    HONED_UNROLL3(v, if (v < vectors) acc[r * vectors + v] = init;)
  })
  for (int64_t quad = 0; quad < o->p->quads; quad++, x += unit_bytes) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += 16) {
      const uint8_t *pixels = x + 4 * plan->tap_offset[tap];
      quads a[3];
      HONED_UNROLL3(v, if (v < vectors) a[v] = quads_load(pixels + 64 * v);)
      HONED_UNROLL8(r, if (r < rows) {
        const factors b = factors_load(w + r / 4 * block_bytes + r % 4 * 4);
        HONED_UNROLL3(v, if (v < vectors) acc[r * vectors + v] = sums_add(acc[r * vectors + v], a[v], b);)
      })
    }
  }
}

ALWAYS void store(const operands *o, int64_t oc, int64_t vector, sums acc) {
  const uint32_t valid = honed_band_valid(o->plan, vector);
  const int64_t pixel = vector * HONED_VECTOR;
  const int64_t at = o->task.image * o->y->image_stride + oc * o->y->plane_stride + pixel;
  if (o->y->dtype == HONED_F32) {
    sums_store_f32(&o->p->requantize, oc, acc, valid, (float *)o->y->data + at);
    return;
  }
  const honed_tensor *r = o->residual;
  const uint8_t *residual = r == NULL ? NULL : (const uint8_t *)r->data + o->task.image * r->image_stride + oc * r->plane_stride + pixel;
  sums_store_u8(&o->p->requantize, oc, acc, residual, valid, o->y->zero_point, (uint8_t *)o->y->data + at);
}

ALWAYS void run_tile(const operands *o, const int8_t *w, int64_t oc, int64_t oc_end, int rows, int vectors, int64_t vector) {
  sums acc[TILE_ROWS * 3];
  accumulate(o, w, oc, rows, vectors, o->scratch + (vector - o->task.vector) * 64, acc);
  HONED_UNROLL8(r, HONED_UNROLL3(v, if (r < rows && v < vectors) {
    if (oc + r < oc_end) store(o, oc + r, vector + v, acc[r * vectors + v]);
  }))
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_BAND(name, rows)                                                                                                   \
  static __attribute__((noinline)) void name(const operands *o, const int8_t *w, int64_t oc, int64_t oc_end) {                 \
    int64_t v = o->task.vector;                                                                                                \
    const int64_t end = o->task.vector_end;                                                                                    \
    for (; v + TILE_VECTORS <= end; v += TILE_VECTORS) run_tile(o, w, oc, oc_end, rows, TILE_VECTORS, v);                      \
    if (TILE_VECTORS > 2 && end - v == 2) run_tile(o, w, oc, oc_end, rows, 2, v);                                              \
    if (TILE_VECTORS > 1 && end - v == 1) run_tile(o, w, oc, oc_end, rows, 1, v);                                              \
  }
RUN_BAND(run_band_4, 4)
#if TILE_ROWS == 8
RUN_BAND(run_band_8, 8)
#endif
#undef RUN_BAND

static void fill(const operands *o, int64_t oc) {
  const int64_t count = (o->task.fill_end - o->task.vector_end) * HONED_VECTOR;
  const int64_t at = o->task.image * o->y->image_stride + oc * o->y->plane_stride + o->task.vector_end * HONED_VECTOR;
  if (o->y->dtype == HONED_F32) {
    memset((float *)o->y->data + at, 0, (size_t)count * sizeof(float));
  } else {
    memset((uint8_t *)o->y->data + at, o->y->zero_point, (size_t)count);
  }
}

static void run_task(const operands *o) {
  const honed_band_plan *plan = o->plan;
  const int64_t rows = o->p->conv.out_channels / o->p->conv.group, first = o->task.group * rows, oc_end = first + rows;
  const int64_t block_bytes = o->p->quads * plan->taps * 16;
  copy_band(o);
  for (int64_t block = o->task.block; block < o->task.block_end;) {
    const int8_t *w = o->p->weights + (o->task.group * plan->blocks + block) * block_bytes;
    const int64_t oc = first + block * HONED_ROWS;
#if TILE_ROWS == 8
    if (o->task.block_end - block >= 2) {
      run_band_8(o, w, oc, oc_end);
      block += 2;
      continue;
    }
#endif
    run_band_4(o, w, oc, oc_end);
    block++;
  }
  if (o->task.fill_end > o->task.vector_end) {
    for (int64_t row = o->task.block * HONED_ROWS; row < o->task.block_end * HONED_ROWS && row < rows; row++) fill(o, first + row);
  }
}

ALWAYS void run_tasks(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  operands o = {.p = call->params,
                .plan = call->plan,
                .x = call->inputs[0],
                .y = call->outputs[0],
                .residual = call->num_inputs == 2 ? call->inputs[1] : NULL,
                .scratch = scratch};
  for (int64_t i = begin; i < end; i++) {
    o.task = honed_band_task_get(o.plan, i);
    run_task(&o);
  }
}
