/* The vector kernels, once for all instruction sets. Include a base/x86_floats_*.h first, and define UNITS_1, UNITS_2 and UNITS_4: how many
 * units of pixels a list of 1, 2 or 4 output channels takes at a time, so that their sums fit in registers. */
#include "base/planes.h"
#include "base/unroll.h"
#include "conv/gate_vector.h"
#include "sparse_conv_f32.h"

typedef struct operands {
  const honed_sparse_conv_f32 *p;
  const honed_sparse_f32_plan *plan;
  const honed_tensor *x_tensor, *y, *residual; /* residual may be NULL */
  float *columns, *sums;                       /* scratch */
  const float *x;                              /* image */
  int64_t image, pixel, units;                 /* the tile: its first pixel, how many units */
} operands;

#include "columns.h"
#include "tile.h"

static void run_chunk(const operands *o, int64_t part, int64_t chunk) {
  static const int most[HONED_LIST_SIZES] = {UNITS_1, UNITS_2, UNITS_4};
  const honed_sparse_run *run = o->plan->runs + (part * o->plan->chunks + chunk) * HONED_LIST_SIZES;
  for (int size = 0; size < HONED_LIST_SIZES; size++, run++) {
    if (run[1].segment == run[0].segment) continue;
    for (int64_t unit = 0; unit < o->units; unit += most[size]) {
      const int64_t rest = o->units - unit, width = rest < most[size] ? rest : most[size];
      run_of_size[size][width](o, run, unit * HONED_UNIT);
    }
  }
}

/* What lies in y's planes behind the last tile. */
static void fill_behind(const operands *o, int64_t part) {
  const honed_conv_lists *lists = &o->p->lists;
  const int64_t list_end = honed_sparse_f32_part(o->plan, lists, part + 1);
  for (int64_t list = honed_sparse_f32_part(o->plan, lists, part); list < list_end; list++) {
    const honed_conv_list *l = &lists->lists[list];
    for (int r = 0; r < l->size; r++) honed_planar_fill(o->y, o->image, l->rows[r], o->plan->units * HONED_UNIT, o->y->plane_stride);
  }
}

/* The activation of a part's results, while they are near. */
static void activate(const operands *o, int64_t part) {
  const honed_conv_lists *lists = &o->p->lists;
  const int64_t list_end = honed_sparse_f32_part(o->plan, lists, part + 1);
  float *const y = (float *)o->y->data + o->image * o->y->image_stride + o->pixel;
  for (int64_t list = honed_sparse_f32_part(o->plan, lists, part); list < list_end; list++) {
    const honed_conv_list *l = &lists->lists[list];
    for (int r = 0; r < l->size; r++) gate_floats(&o->p->output.gate, y + l->rows[r] * o->y->plane_stride, o->units * HONED_UNIT);
  }
}

/* Parts [part, part_end) of one tile: they read the same columns. */
static void run_tile(operands *o, int64_t tile, int64_t part, int64_t part_end) {
  const int64_t first = honed_sparse_f32_tile(o->plan, tile);
  o->x = (const float *)o->x_tensor->data + o->image * o->x_tensor->image_stride;
  o->pixel = first * HONED_UNIT;
  o->units = honed_sparse_f32_tile(o->plan, tile + 1) - first;
  for (int64_t chunk = 0; chunk < o->plan->chunks; chunk++) {
    copy_chunk(o, chunk);
    for (int64_t i = part; i < part_end; i++) run_chunk(o, i, chunk);
  }
  for (int64_t i = part; i < part_end && o->p->output.gate.kind != HONED_GATE_NONE; i++) activate(o, i);
  for (int64_t i = part; i < part_end && tile + 1 == o->plan->tiles; i++) fill_behind(o, i);
}

ALWAYS void run_tasks(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  operands o = {.p = call->params,
                .plan = call->plan,
                .x_tensor = call->inputs[0],
                .y = call->outputs[0],
                .residual = call->num_inputs == 2 ? call->inputs[1] : NULL,
                .columns = scratch};
  o.sums = o.columns + o.plan->chunk_columns * o.plan->tile_pixels;
  for (int64_t i = begin; i < end;) {
    const honed_sparse_f32_task t = honed_sparse_f32_task_get(o.plan, i);
    const int64_t left = end - i, part_end = left < o.plan->parts - t.part ? t.part + left : o.plan->parts;
    o.image = t.image;
    run_tile(&o, t.tile, t.part, part_end);
    i += part_end - t.part;
  }
}
