#include <math.h>

#include "sparse_conv_f32.h"

static float accumulate(const honed_sparse_conv_f32 *p, const int32_t *offsets, const honed_conv_list *l, int row, const float *x) {
  const float *w = (const float *)p->lists.weights + l->weights + row;
  float sum = p->output.bias[l->rows[row]];
  for (int64_t step = l->begin; step < l->end; step++, w += l->size) {
    sum = fmaf(*w, x[offsets[step]], sum);
  }
  return sum;
}

void honed_sparse_conv_f32__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_sparse_conv_f32 *p = call->params;
  const honed_sparse_conv_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int64_t i = begin; i < end; i++) {
    const honed_sparse_conv_task t = honed_sparse_conv_task_get(plan, p->lists.num_lists, i);
    const float *image = (const float *)x->data + t.image * x->image_stride;
    for (int64_t list = t.list; list < t.list_end; list++) {
      const honed_conv_list *l = &p->lists.lists[list];
      for (int row = 0; row < l->size; row++) {
        float *out = (float *)y->data + t.image * y->image_stride + l->rows[row] * y->plane_stride;
        const float *residual = r == NULL ? NULL : (const float *)r->data + t.image * r->image_stride + l->rows[row] * r->plane_stride;
        for (int64_t pixel = t.word * HONED_WORD; pixel < t.fill_end * HONED_WORD; pixel++) {
          const bool valid = plan->valid[pixel / HONED_WORD] >> (pixel % HONED_WORD) & 1;
          float sum = valid ? accumulate(p, plan->offsets, l, row, image + pixel) : 0.0f;
          if (valid && residual != NULL) sum += residual[pixel];
          out[pixel] = valid ? honed_output_f32_apply(&p->output, sum) : 0.0f;
        }
      }
    }
  }
}
