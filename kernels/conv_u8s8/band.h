/* The loops of the vector kernels, once for all instruction sets. A unit is a quad of channels: a pixel of it, and a weight of one of its
 * taps, are 4 bytes. Define before inclusion
 *
 *   params                                 type of the operator's parameters; has conv and weights
 *   sums, pixels, factors                  types: 16 sums; 16 pixels of a unit; one output channel's weight, broadcast
 *   sums sums_init(const params *, int64_t oc)
 *   pixels pixels_load(const void *)
 *   factors factors_load(const void *)
 *   sums sums_add(sums, pixels, factors)
 *   void sums_store(const params *, int64_t oc, const sums *, int vectors, const void *residual or NULL, uint64_t valid,
 *                   const honed_tensor *y, void *out)   one row of a tile
 *   void copy_band(const params *, const honed_band_plan *, const honed_band_task *, const honed_tensor *x, void *scratch)
 *                                          fills scratch: [units][phases][plane_pixels] of 4 bytes
 *   TILE_ROWS (2 or 8), TILE_VECTORS (1 to 3)
 *   const int8_t *weights_of(const params *)
 *   HAS_REST, rest, rest_of                where those weights lack something: of pairs_products.h
 */
#include "base/planes.h"
#include "base/unroll.h"
#include "conv/band_plan.h"

typedef struct operands {
  const params *p;
  const honed_band_plan *plan;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  char *scratch;
  honed_band_task task;
} operands;

#ifdef HAS_REST
/* What the weights lack of HONED_PAIR_ROWS output channels, which `row` channels of all blocks precede. */
ALWAYS void add_rest(const operands *o, int64_t row, int vectors, const char *x, sums acc[]) {
  const honed_band_plan *plan = o->plan;
  const int64_t unit_bytes = plan->phases * plan->plane_pixels * 4;
  for (const rest *i = rest_of(o->p, row), *end = rest_of(o->p, row + HONED_PAIR_ROWS); i < end; i++) {
    const char *tile = x + i->quad * unit_bytes + 4 * plan->tap_offset[i->tap];
    const factors w[HONED_PAIR_ROWS] = {factors_load(i->weights[0]), factors_load(i->weights[1])};
    HONED_UNROLL3(
        v, if (v < vectors) {
          const pixels a = pixels_load(tile + 64 * v);
          HONED_UNROLL2(r, acc[r * vectors + v] = sums_add(acc[r * vectors + v], a, w[r]);)
        })
  }
}
#endif

/* Sums of `rows` output channels (blocks beside each other in w) over `vectors` vectors; `x` is the tile's first pixel in scratch. */
ALWAYS void accumulate(const operands *o, const char *w, int64_t oc, int rows, int vectors, const char *x, sums acc[]) {
  const honed_band_plan *plan = o->plan;
  const int64_t block_bytes = honed_band_block_bytes(plan), unit_bytes = plan->phases * plan->plane_pixels * 4;
  const int64_t next_bytes = rows < HONED_CONV_U8S8_ROWS ? block_bytes : rows / HONED_CONV_U8S8_ROWS * block_bytes;
  const int64_t last = o->p->conv.out_channels - 1;
  HONED_UNROLL8(
      r, if (r < rows) {
        const sums init = sums_init(o->p, oc + r < last ? oc + r : last);
        HONED_UNROLL3(v, if (v < vectors) acc[r * vectors + v] = init;)
      })
  for (int64_t unit = 0; unit < plan->units; unit++, x += unit_bytes) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += 16) {
      const char *tile = x + 4 * plan->tap_offset[tap];
      pixels a[3];
      /* Weights are read once per tile, in order; those of the next blocks come from memory meanwhile. */
      __builtin_prefetch((const void *)((uintptr_t)w + (uintptr_t)next_bytes), 0, 2);
      if (rows == 8) __builtin_prefetch((const void *)((uintptr_t)w + (uintptr_t)(next_bytes + block_bytes)), 0, 2);
      HONED_UNROLL3(v, if (v < vectors) a[v] = pixels_load(tile + 64 * v);)
      HONED_UNROLL8(
          r, if (r < rows) {
            const factors b = factors_load(w + r / 4 * block_bytes + r % 4 * 4);
            HONED_UNROLL3(v, if (v < vectors) acc[r * vectors + v] = sums_add(acc[r * vectors + v], a[v], b);)
          })
    }
  }
}

/* Address of an element of a planar tensor. */
ALWAYS void *element(const honed_tensor *t, int64_t image, int64_t channel, int64_t pixel) {
  const int64_t at = image * t->image_stride + channel * t->plane_stride + pixel;
  return t->dtype == HONED_F32 ? (void *)((float *)t->data + at) : (void *)((uint8_t *)t->data + at);
}

ALWAYS void store(const operands *o, int64_t oc, int64_t vector, const sums *acc, int vectors, uint64_t valid) {
  const int64_t image = o->task.image, pixel = vector * HONED_VECTOR;
  const void *residual = o->residual == NULL ? NULL : element(o->residual, image, oc, pixel);
  sums_store(o->p, oc, acc, vectors, residual, valid, o->y, element(o->y, image, oc, pixel));
}

/* row: how many output channels of all blocks precede the tile's. */
ALWAYS void run_tile(const operands *o, const char *w, int64_t row, int64_t oc, int64_t oc_end, int rows, int vectors, int64_t vector) {
  sums acc[TILE_ROWS * 3];
  const char *x = o->scratch + (vector - o->task.vector) * 64;
  accumulate(o, w, oc, rows, vectors, x, acc);
#ifdef HAS_REST
  HONED_UNROLL8(r, if (r < rows && r % HONED_PAIR_ROWS == 0) add_rest(o, row + r, vectors, x, acc + r * vectors);)
#else
  (void)row;
#endif
  const uint64_t valid = honed_band_valid(o->plan, vector * HONED_VECTOR);
  HONED_UNROLL8(
      r, if (r < rows && oc + r < oc_end) {
        const sums *row = &acc[r * vectors];
        store(o, oc + r, vector, (const sums[3]){row[0], row[vectors > 1 ? 1 : 0], row[vectors > 2 ? 2 : 0]}, vectors, valid);
      })
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_BAND(name, rows)                                                                                              \
  static __attribute__((noinline)) void name(const operands *o, const char *w, int64_t row, int64_t oc, int64_t oc_end) { \
    int64_t v = o->task.vector;                                                                                           \
    const int64_t end = o->task.vector_end;                                                                               \
    /* Four vectors are two tiles of two: a tile of one would wait for its weights. */                                    \
    for (; end - v >= TILE_VECTORS && !(TILE_VECTORS == 3 && end - v == 4); v += TILE_VECTORS) {                          \
      run_tile(o, w, row, oc, oc_end, rows, TILE_VECTORS, v);                                                             \
    }                                                                                                                     \
    for (; TILE_VECTORS > 2 && end - v >= 2; v += 2) run_tile(o, w, row, oc, oc_end, rows, 2, v);                         \
    if (TILE_VECTORS > 1 && end - v == 1) run_tile(o, w, row, oc, oc_end, rows, 1, v);                                    \
  }
#if TILE_ROWS == 2
RUN_BAND(run_band_2, 2)
#else
RUN_BAND(run_band_4, 4)
#endif
#if TILE_ROWS == 8
RUN_BAND(run_band_8, 8)
#endif
#undef RUN_BAND

/* Blocks from `block` on, whose weights are at w; row, oc: their first output channel among those of all blocks, and of y. Returns how many
 * it took. */
static int64_t run_blocks(const operands *o, const char *w, int64_t block, int64_t row, int64_t oc, int64_t oc_end) {
#if TILE_ROWS == 8
  if (o->task.block_end - block >= 2) {
    run_band_8(o, w, row, oc, oc_end);
    return 2;
  }
  run_band_4(o, w, row, oc, oc_end);
#else
  (void)block;
  run_band_2(o, w, row, oc, oc_end);
  if (oc + 2 < oc_end) run_band_2(o, w + 8, row + 2, oc + 2, oc_end);
#endif
  return 1;
}

static void run_task(const operands *o) {
  const honed_band_plan *plan = o->plan;
  const int64_t rows = o->p->conv.out_channels / o->p->conv.group, first = o->task.group * rows, oc_end = first + rows;
  const int64_t block_bytes = honed_band_block_bytes(plan);
  for (int64_t block = o->task.block; block < o->task.block_end;) {
    const int64_t preceding = o->task.group * plan->blocks + block;
    const char *w = (const char *)weights_of(o->p) + preceding * block_bytes;
    block += run_blocks(o, w, block, preceding * HONED_CONV_U8S8_ROWS, first + block * HONED_CONV_U8S8_ROWS, oc_end);
  }
  if (o->task.fill_end > o->task.vector_end) {
    for (int64_t row = o->task.block * HONED_CONV_U8S8_ROWS; row < o->task.block_end * HONED_CONV_U8S8_ROWS && row < rows; row++)
      honed_planar_fill(o->y, o->task.image, first + row, o->task.vector_end * HONED_VECTOR, o->task.fill_end * HONED_VECTOR);
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
    /* Chunks of one band follow each other: the first of a call fills scratch for all. */
    if (i == begin || o.task.first) copy_band(o.p, o.plan, &o.task, o.x, scratch);
    run_task(&o);
  }
}
