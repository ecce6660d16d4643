/* The scalar kernels, once for all that they multiply. Define before inclusion
 *
 *   UNIT_CHANNELS                                      input channels of a unit
 *   float add_unit(float sum, const void *w, const float *x)   w: an output channel's weights of a unit, x: the unit's pixels
 *   float add_residual(float sum, float residual)
 *   float stored(float y)                              what becomes of a result */
#include "float_conv.h"

static float accumulate(const honed_float_conv *p, const honed_band_plan *plan, const honed_tensor *x, const float *image, int64_t group,
                        int64_t row, int64_t pixel) {
  const int64_t rows = p->conv.out_channels / p->conv.group, channels = p->conv.in_channels / p->conv.group;
  const int64_t block = group * plan->blocks + row / HONED_FLOAT_ROWS;
  const float *w = p->weights + block * plan->units * plan->taps * HONED_FLOAT_ROWS + row % HONED_FLOAT_ROWS;
  float sum = p->output.bias[group * rows + row];
  for (int64_t unit = 0; unit < plan->units; unit++) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += HONED_FLOAT_ROWS) {
      float pixels[UNIT_CHANNELS] = {0};
      for (int64_t k = 0; k < UNIT_CHANNELS && unit * UNIT_CHANNELS + k < channels; k++) {
        const int64_t plane = (group * channels + unit * UNIT_CHANNELS + k) * plan->phases + plan->tap_phase[tap];
        pixels[k] = image[plane * x->plane_stride + plan->tap_shift[tap] + pixel];
      }
      sum = add_unit(sum, w, pixels);
    }
  }
  return sum;
}

static void run_row(const honed_call *call, const honed_band_task *t, int64_t row) {
  const honed_float_conv *p = call->params;
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
    if (valid && residual != NULL) sum = add_residual(sum, residual[pixel]);
    out[pixel] = valid ? stored(honed_output_f32_apply(&p->output, sum)) : 0.0f;
  }
}

static void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  const honed_conv *c = &((const honed_float_conv *)call->params)->conv;
  const int64_t rows = c->out_channels / c->group;
  for (int64_t i = begin; i < end; i++) {
    const honed_band_task t = honed_band_task_get(call->plan, i);
    for (int64_t row = t.block * HONED_FLOAT_ROWS; row < t.block_end * HONED_FLOAT_ROWS && row < rows; row++) run_row(call, &t, row);
  }
}
