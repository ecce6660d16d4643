#include "base/planes.h"
#include "base/simd_avx512.h"
#include "code_plan.h"
#include "conv/gate_vector.h"
#include "sparse_conv_f32.h"

/* Some tiles of one image. */
typedef struct operands {
  const honed_sparse_conv_f32 *p;
  const honed_code_plan *plan;
  const honed_tensor *y;
  const float *x, *residual; /* image; residual may be NULL */
  float *out;                /* image */
  int64_t image, tile, tile_end;
} operands;

/* The beginning of what no block before has fetched. */
static void prefetch_block(const honed_code_block *b) {
  enum { most = 16 * 1024 };
  const int64_t bytes = b->end - b->begin;
  for (int64_t i = 0; i < (bytes < most ? bytes : most); i += 64) __builtin_prefetch(b->begin + i, 0, 2);
}

static void finish_rows(const operands *o, int64_t list, int64_t list_end) {
  const int64_t pixel = o->tile * HONED_CODE_PIXELS, end = o->tile_end * HONED_CODE_PIXELS;
  for (; list < list_end; list++) {
    const honed_conv_list *l = &o->p->lists.lists[list];
    for (int r = 0; r < l->size; r++) {
      gate_floats(&o->p->output.gate, o->out + l->rows[r] * o->y->plane_stride + pixel, end - pixel);
      if (o->tile_end == o->plan->tiles) honed_planar_fill(o->y, o->image, l->rows[r], end, o->y->plane_stride);
    }
  }
}

static void run_block(const operands *o, int64_t block) {
  const honed_code_block *b = &o->plan->blocks[block];
  const float limits[] = {o->p->output.clamp_lo, o->p->output.clamp_hi};
  for (int64_t tile = o->tile; tile < o->tile_end; tile++) {
    const int64_t pixel = tile * HONED_CODE_PIXELS;
    b->run(o->x + pixel, b->weights, o->out + pixel, o->plan->masks + tile * HONED_CODE_MASKS, limits,
           o->residual == NULL ? NULL : o->residual + pixel, (uintptr_t)b->end + (uintptr_t)((tile - o->tile) * b->ahead));
  }
  finish_rows(o, block == 0 ? 0 : b[-1].list_end, b->list_end);
}

void honed_sparse_conv_f32_code__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_code_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int64_t i = begin; i < end; i++) {
    const int64_t part = i % plan->parts, group = i / plan->parts % plan->groups, image = i / plan->parts / plan->groups;
    const operands o = {
        .p = call->params,
        .plan = plan,
        .y = y,
        .x = (const float *)x->data + image * x->image_stride,
        .residual = r == NULL ? NULL : (const float *)r->data + image * r->image_stride,
        .out = (float *)y->data + image * y->image_stride,
        .image = image,
        .tile = plan->tiles * group / plan->groups,
        .tile_end = plan->tiles * (group + 1) / plan->groups,
    };
    if (i == begin) prefetch_block(&plan->blocks[plan->num_blocks * part / plan->parts]);
    for (int64_t b = plan->num_blocks * part / plan->parts; b < plan->num_blocks * (part + 1) / plan->parts; b++) run_block(&o, b);
  }
}
