#include <math.h>

#include "conv_f32.h"

static float accumulate(const honed_conv_f32 *p, const honed_band_plan *plan, const honed_tensor *x, const float *image, int64_t group,
                        int64_t row, int64_t pixel) {
  const int64_t rows = p->conv.out_channels / p->conv.group;
  const float *w = p->weights + (group * plan->blocks + row / HONED_CONV_F32_ROWS) * plan->units * plan->taps * HONED_CONV_F32_ROWS +
                   row % HONED_CONV_F32_ROWS;
  float sum = p->output.bias[group * rows + row];
  for (int64_t unit = 0; unit < plan->units; unit++) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += HONED_CONV_F32_ROWS) {
      const int64_t plane = (group * plan->units + unit) * plan->phases + plan->tap_phase[tap];
      sum = fmaf(*w, image[plane * x->plane_stride + plan->tap_shift[tap] + pixel], sum);
    }
  }
  return sum;
}

static void run_row(const honed_call *call, const honed_band_task *t, int64_t row) {
  const honed_conv_f32 *p = call->params;
  const honed_band_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t oc = t->group * (p->conv.out_channels / p->conv.group) + row;
  const float *image = (const float *)x->data + t->image * x->image_stride;
  const float *residual = r == NULL ? NULL : (const float *)r->data + t->image * r->image_stride + oc * r->plane_stride;
  float *out = (float *)y->data + t->image * y->image_stride + oc * y->plane_stride;
  for (int64_t pixel = t->vector * HONED_VECTOR; pixel < t->fill_end * HONED_VECTOR; pixel++) {
    const bool valid = plan->valid[pixel / 64] >> (pixel % 64) & 1;
    const int64_t from = pixel / y->row_stride * x->row_stride + pixel % y->row_stride;
    float sum = valid ? accumulate(p, plan, x, image, t->group, row, from) : 0.0f;
    if (valid && residual != NULL) sum += residual[pixel];
    out[pixel] = valid ? honed_output_f32_apply(&p->output, sum) : 0.0f;
  }
}

void honed_conv_f32__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_conv *c = &((const honed_conv_f32 *)call->params)->conv;
  const int64_t rows = c->out_channels / c->group;
  for (int64_t i = begin; i < end; i++) {
    const honed_band_task t = honed_band_task_get(call->plan, i);
    for (int64_t row = t.block * HONED_CONV_F32_ROWS; row < t.block_end * HONED_CONV_F32_ROWS && row < rows; row++) run_row(call, &t, row);
  }
}
