/* The kernel, once for all instruction sets. Include a base/simd_*.h first and define TILE_ROWS: output channels of a product's register
 * tile, which is up to three vectors wide; FEW_TILES: up to how many tiles beyond whole vectors are multiplied with output channels in
 * the lanes (0, 4 or 8). */
#include <string.h>

#include "base/planes.h"
#include "base/unroll.h"
#include "base/variant.h"
#include "conv_winograd_f32.h"

typedef struct band {
  const honed_winograd_f32 *p;
  const honed_winograd_plan *plan;
  const honed_tensor *x, *y, *residual; /* residual may be NULL */
  honed_winograd_task task;
  float *phases, *transformed, *sums, *tiles; /* in scratch */
} band;

#include "transform.h"

#include "input.h"
#include "output.h"
#include "product.h"

ALWAYS void run_task(form f, const band *b) {
  const honed_winograd_plan *plan = b->plan;
  const int64_t rows = b->p->conv.out_channels / b->p->conv.group;
  const int64_t block_size = plan->size * plan->size * plan->channels * HONED_WINOGRAD_ROWS;
  for (int64_t block = b->task.block; block < b->task.block_end; block++) {
    multiply_block(b, b->p->weights + (b->task.group * plan->blocks + block) * block_size);
    for (int64_t row = 0; row < HONED_WINOGRAD_ROWS && block * HONED_WINOGRAD_ROWS + row < rows; row++) {
      untransform(f, b, row);
      store_band(f, b, b->task.group * rows + block * HONED_WINOGRAD_ROWS + row);
    }
  }
}

ALWAYS void run_tasks(form f, const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_winograd_plan *plan = call->plan;
  band b = {.p = call->params,
            .plan = plan,
            .x = call->inputs[0],
            .y = call->outputs[0],
            .residual = call->num_inputs == 2 ? call->inputs[1] : NULL,
            .phases = scratch,
            .transformed = (float *)scratch + plan->phases_end,
            .sums = (float *)scratch + plan->transformed_end,
            .tiles = (float *)scratch + plan->sums_end};
  for (int64_t i = begin; i < end; i++) {
    b.task = honed_winograd_task_get(plan, b.p->conv.group, i);
    /* Chunks of one band follow each other: the first of a call transforms it for all. */
    if (i == begin || i % plan->chunks == 0) transform_band(f, &b);
    run_task(f, &b);
  }
}

void HONED_VARIANT_SYMBOL(honed_conv_winograd_f32_2x2)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks((form){2, 4}, call, scratch, begin, end);
}

void HONED_VARIANT_SYMBOL(honed_conv_winograd_f32_4x4)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks((form){4, 6}, call, scratch, begin, end);
}

void HONED_VARIANT_SYMBOL(honed_conv_winograd_f32_4x4_4x4)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks((form){4, 7}, call, scratch, begin, end);
}
