/* The vector kernels, once for all instruction sets and for all that they multiply. Include a base/x86_floats_*.h first, and define
 *
 *   UNIT_CHANNELS                   input channels of a unit: 1, and units are f32, or 2
 *   inputs, factors                 types: FLOATS pixels of a unit; one output channel's weights of it, broadcast
 *   inputs inputs_load(const float *), factors factors_load(const float *)
 *   floats sums_add(floats, inputs, factors)
 *   input8, factors8, input8_load, factors8_load, sums8_add    the same with one pixel, broadcast, and eight output channels' weights
 *   void units_store(float *, const float *first, const float *second)   FLOATS units of the pixels of UNIT_CHANNELS planes
 *   TILE_ROWS                       output channels of a register tile, which is up to three registers of pixels wide
 *   REST_OF_4, REST_OF_8            blocks of output channels taken at once for up to four and eight pixels beyond whole vectors */
#include <string.h>

#include "base/planes.h"
#include "base/unroll.h"
#include "float_conv.h"
#include "gate_vector.h"

typedef struct operands {
  const honed_float_conv *p;
  const honed_band_plan *plan;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  float *scratch;
  honed_band_task task;
  int64_t oc, oc_end;         /* first output channel of the group, and one past its last */
  const float *band;          /* its first pixel of the group's first unit; from unit to unit it is unit_stride */
  int64_t unit_stride, ahead; /* to what is fetched ahead of its use, or 0 */
} operands;

#include "float_copy.h"

/* Adds the residual, clamps and stores a tile. What it needs is read into locals first, since a store of floats might change anything. */
ALWAYS void store_tile(const operands *o, int64_t oc, int rows, int width, int64_t pixel, const floats acc[]) {
  const honed_tensor *y = o->y, *r = o->residual;
  const floats lo = floats_set1(o->p->output.clamp_lo), hi = floats_set1(o->p->output.clamp_hi);
  const uint64_t valid = honed_band_valid(o->plan, pixel);
  const int64_t count = o->oc_end - oc, out_stride = y->plane_stride, add_stride = r == NULL ? 0 : r->plane_stride;
  float *out = (float *)y->data + o->task.image * y->image_stride + oc * out_stride + pixel;
  const float *add = r == NULL ? NULL : (const float *)r->data + o->task.image * r->image_stride + oc * add_stride + pixel;
  HONED_UNROLL8(
      row, if (row < rows && row < count) {
        HONED_UNROLL3(
            v, if (v < width) {
              const floats sum = add == NULL ? acc[row * width + v] : floats_add(acc[row * width + v], floats_load(add + v * FLOATS));
              floats_store(out + v * FLOATS, floats_keep(valid >> v * FLOATS, floats_clamp(sum, lo, hi)));
            })
        out += out_stride;
        if (add != NULL) add += add_stride;
      })
}

/* Fetches the lines of a tile's row that store_tile will write and add, since each of a row's lies on a page of its own. */
ALWAYS void fetch_row(const operands *o, int64_t oc, int width, int64_t pixel) {
  const honed_tensor *y = o->y, *r = o->residual;
  const float *out = (const float *)y->data + o->task.image * y->image_stride + oc * y->plane_stride + pixel;
  HONED_UNROLL3(v, if (v < width) __builtin_prefetch((const void *)(out + v * FLOATS), 1);)
  if (r == NULL) return;
  const float *add = (const float *)r->data + o->task.image * r->image_stride + oc * r->plane_stride + pixel;
  HONED_UNROLL3(v, if (v < width) __builtin_prefetch((const void *)(add + v * FLOATS));)
}

#include "float_rest.h"

/* `rows` output channels from oc on, whose weights are at w, times `width` registers of pixels. taps: their number where it is constant.
 * along: a whole block takes one pixel of the plane's rest along, the more the further on the tile is. */
ALWAYS void run_tile(const operands *o, const float *w, int64_t oc, int rows, int width, int constant_taps, bool along, int64_t pixel) {
  const honed_band_plan *plan = o->plan;
  const int64_t taps = constant_taps > 0 ? constant_taps : plan->taps, last = o->oc_end - 1;
  const uintptr_t next_block = (uintptr_t)honed_band_block_bytes(plan), ahead = (uintptr_t)o->ahead * sizeof(float);
  const float *x = o->band + pixel - o->task.vector * HONED_VECTOR;
  const int64_t rest_pixel = along ? rest_begin(o->plan) + pixel / (width * FLOATS) : 0;
  const float *rest_x = o->band + rest_pixel - o->task.vector * HONED_VECTOR;
  __m256 rest = along ? bias_of(o, oc) : _mm256_setzero_ps();
  floats acc[24];
  HONED_UNROLL8(
      r, if (r < rows) {
        const floats bias = floats_set1(o->p->output.bias[oc + r < last ? oc + r : last]);
        HONED_UNROLL3(v, if (v < width) acc[r * width + v] = bias;)
      })
  if (constant_taps != 1) { /* stems have few units */
    for (int64_t row = plan->units; row < rows && oc + row < o->oc_end; row++) fetch_row(o, oc + row, width, pixel);
  }
  for (int64_t unit = 0; unit < plan->units; unit++, x += o->unit_stride) {
    if (unit < rows && oc + unit < o->oc_end) fetch_row(o, oc + unit, width, pixel);
    for (int64_t tap = 0; tap < taps; tap++, w += HONED_FLOAT_ROWS) {
      const float *tile = constant_taps == 1 ? x : x + plan->tap_offset[tap];
      inputs a[3];
      /* Weights are read once per tile, in order; those of the next block come from memory meanwhile. */
      __builtin_prefetch((const void *)((uintptr_t)w + next_block), 0, 2);
      HONED_UNROLL3(
          v, if (v < width) {
            a[v] = inputs_load(tile + v * FLOATS);
            if (constant_taps == 1) __builtin_prefetch((const void *)((uintptr_t)(tile + v * FLOATS) + ahead));
          })
      HONED_UNROLL8(
          r, if (r < rows) {
            const factors b = factors_load(w + r);
            HONED_UNROLL3(v, if (v < width) acc[r * width + v] = sums_add(acc[r * width + v], a[v], b);)
          })
      if (along) {
        rest = sums8_add(rest, input8_load(rest_x), factors8_load(w));
        rest_x += o->unit_stride;
      }
    }
  }
  store_tile(o, oc, rows, width, pixel, acc);
  if (along) store_rest(o, oc, rest_pixel, honed_band_valid(plan, rest_pixel) & 1 ? rest : _mm256_setzero_ps());
}

/* A block of output channels over the pixels up to `end`. */
ALWAYS void run_block(const operands *o, const float *w, int64_t oc, int constant_taps, int64_t end) {
  for (int row = 0; row < HONED_FLOAT_ROWS; row += TILE_ROWS) {
    int64_t pixel = o->task.vector * HONED_VECTOR;
    for (; TAKES_ALONG && constant_taps == 1 && pixel / (3 * FLOATS) < o->plan->along && end > pixel; pixel += 3 * FLOATS) {
      run_tile(o, w + row, oc + row, TILE_ROWS, 3, constant_taps, TAKES_ALONG, pixel);
    }
    /* Four registers are two tiles of two: a tile of one would wait for its weights. */
    for (; end - pixel > 2 * FLOATS && (end - pixel <= 3 * FLOATS || end - pixel > 4 * FLOATS); pixel += 3 * FLOATS) {
      run_tile(o, w + row, oc + row, TILE_ROWS, 3, constant_taps, false, pixel);
    }
    for (; end - pixel > FLOATS; pixel += 2 * FLOATS) run_tile(o, w + row, oc + row, TILE_ROWS, 2, constant_taps, false, pixel);
    if (end > pixel) run_tile(o, w + row, oc + row, TILE_ROWS, 1, constant_taps, false, pixel);
  }
}

/* Functions of their own, so that each has the registers to itself. */
static __attribute__((noinline)) void run_block_of_1(const operands *o, const float *w, int64_t oc, int64_t end) {
  run_block(o, w, oc, 1, end);
}
static __attribute__((noinline)) void run_block_of_any(const operands *o, const float *w, int64_t oc, int64_t end) {
  run_block(o, w, oc, 0, end);
}

/* The activation of `blocks` blocks' results, while they are near. */
static void activate(const operands *o, int64_t block, int64_t blocks) {
  const int64_t begin = o->task.vector * HONED_VECTOR, end = o->task.vector_end * HONED_VECTOR;
  const int64_t first = o->oc + block * HONED_FLOAT_ROWS, last = honed_smaller(first + blocks * HONED_FLOAT_ROWS, o->oc_end);
  float *const image = (float *)o->y->data + o->task.image * o->y->image_stride;
  for (int64_t oc = first; oc < last; oc++) gate_floats(&o->p->output.gate, image + oc * o->y->plane_stride + begin, end - begin);
}

/* Zeros behind the last pixels of the task's planes: a few vectors each. */
static void fill_planes(const operands *o) {
  const int64_t end = o->task.fill_end * HONED_VECTOR;
  const int64_t begin = o->plan->along > 0 ? o->plan->used_pixels : o->task.vector_end * HONED_VECTOR;
  const int64_t vectors = honed_divide_up(begin, FLOATS) * FLOATS;
  const int64_t first = o->oc + o->task.block * HONED_FLOAT_ROWS;
  const int64_t last = honed_smaller(o->oc + o->task.block_end * HONED_FLOAT_ROWS, o->oc_end);
  float *const image = (float *)o->y->data + o->task.image * o->y->image_stride;
  for (int64_t oc = first; oc < last; oc++) {
    float *const out = image + oc * o->y->plane_stride;
    for (int64_t i = begin; i < vectors; i++) out[i] = 0.0f;
    for (int64_t i = vectors; i < end; i += FLOATS) floats_store(out + i, floats_set1(0.0f));
  }
}

static void run_task(operands *o) {
  const honed_band_plan *plan = o->plan;
  const int64_t block_floats = honed_band_block_bytes(plan) / (int64_t)sizeof(float);
  const float *w = o->p->weights + o->task.group * plan->blocks * block_floats;
  const int64_t rest = rest_of(o), end = o->task.vector_end * HONED_VECTOR - (rest > 0 && plan->along == 0 ? HONED_VECTOR : 0);
  for (int64_t block = o->task.block; block < o->task.block_end; block++) {
    const int64_t oc = o->oc + block * HONED_FLOAT_ROWS, done = block + 1 - o->task.block;
    (plan->taps == 1 ? run_block_of_1 : run_block_of_any)(o, w + block * block_floats, oc, end);
    o->ahead = 0;
    if (done % REST_BLOCKS != 0 && block + 1 != o->task.block_end) continue;
    const int64_t first = block - (done - 1) % REST_BLOCKS;
    if (rest > 0) run_rest(o, w + first * block_floats, o->oc + first * HONED_FLOAT_ROWS, block + 1 - first, rest);
    if (o->p->output.gate.kind != HONED_GATE_NONE) activate(o, first, block + 1 - first);
  }
  if (o->task.vector_end == plan->used_vectors) fill_planes(o);
}

ALWAYS void run_tasks(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  operands o = {.p = call->params,
                .plan = call->plan,
                .x = call->inputs[0],
                .y = call->outputs[0],
                .residual = call->num_inputs == 2 ? call->inputs[1] : NULL,
                .scratch = scratch};
  const int64_t rows = o.p->conv.out_channels / o.p->conv.group;
  for (int64_t i = begin; i < end; i++) {
    o.task = honed_band_task_get(o.plan, i);
    o.oc = o.task.group * rows;
    o.oc_end = o.oc + rows;
    /* Chunks of one band follow each other: the first of a call fills scratch for all. */
    take_band(&o, i == begin || o.task.first);
    run_task(&o);
  }
}
