#include <math.h>

#include "sparse_conv_f32.h"

typedef struct operands {
  const honed_sparse_conv_f32 *p;
  const honed_sparse_f32_plan *plan;
  const float *x; /* image */
} operands;

static float accumulate(const operands *o, const honed_conv_list *l, int row, int64_t pixel) {
  const honed_conv_lists *lists = &o->p->lists;
  const float *w = (const float *)lists->weights + l->weights + row;
  float sum = o->p->output.bias[l->rows[row]];
  for (int64_t entry = l->begin; entry < honed_conv_list_end(l); entry++, w += l->size) {
    const int64_t id = honed_conv_lists_id(lists, entry), kx = id % o->p->conv.kernel_w;
    const uint64_t *reach = o->plan->reach == NULL ? NULL : o->plan->reach + kx * o->plan->words;
    const bool reached = reach == NULL || (reach[pixel / 64] >> (pixel % 64) & 1);
    sum = fmaf(*w, reached ? o->x[o->plan->of_tap[id] + pixel] : 0.0f, sum);
  }
  return sum;
}

static void run_row(const operands *o, const honed_conv_list *l, int row, const float *residual, float *y, int64_t pixel, int64_t end) {
  for (; pixel < end; pixel++) {
    float sum = 0.0f;
    if (o->plan->valid[pixel / 64] >> (pixel % 64) & 1) {
      sum = accumulate(o, l, row, pixel);
      sum = honed_output_f32_apply(&o->p->output, residual == NULL ? sum : sum + residual[pixel]);
    }
    y[pixel] = sum;
  }
}

void honed_sparse_conv_f32__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  operands o = {.p = call->params, .plan = call->plan};
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int64_t i = begin; i < end; i++) {
    const honed_sparse_f32_task t = honed_sparse_f32_task_get(o.plan, i);
    const int64_t first = honed_sparse_f32_tile(o.plan, t.tile) * HONED_UNIT;
    const int64_t last = t.tile + 1 < o.plan->tiles ? honed_sparse_f32_tile(o.plan, t.tile + 1) * HONED_UNIT : y->plane_stride;
    o.x = (const float *)x->data + t.image * x->image_stride;
    const int64_t list_end = honed_sparse_f32_part(o.plan, &o.p->lists, t.part + 1);
    for (int64_t list = honed_sparse_f32_part(o.plan, &o.p->lists, t.part); list < list_end; list++) {
      const honed_conv_list *l = &o.p->lists.lists[list];
      for (int row = 0; row < l->size; row++) {
        float *out = (float *)y->data + t.image * y->image_stride + l->rows[row] * y->plane_stride;
        const float *residual = r == NULL ? NULL : (const float *)r->data + t.image * r->image_stride + l->rows[row] * r->plane_stride;
        run_row(&o, l, row, residual, out, first, last);
      }
    }
  }
}
