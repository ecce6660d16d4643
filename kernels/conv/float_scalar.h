/* The scalar kernels, once for all that they multiply. Define before inclusion
 *
 *   UNIT_CHANNELS                                      input channels of a unit
 *   float add_unit(float sum, const void *w, const float *x)   w: an output channel's weights of a unit, x: the unit's pixels
 *   float add_residual(float sum, float residual)
 *   float stored(float y)                              what becomes of a result */
#include "base/planes.h"
#include "float_conv.h"

/* A pixel of y, and of flat pixels of x the one in its place. */
typedef struct place {
  int64_t image, row, column, flat;
} place;

static float input_at(const honed_call *call, const place *at, int64_t channel, int64_t tap) {
  const honed_conv *c = &((const honed_float_conv *)call->params)->conv;
  const honed_band_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0];
  if (!c->whole) {
    const float *plane =
        (const float *)x->data + at->image * x->image_stride + (channel * plan->phases + plan->tap_phase[tap]) * x->plane_stride;
    return plane[plan->tap_shift[tap] + at->flat];
  }
  const int64_t row = at->row * c->stride_h + tap / c->kernel_w * c->dilation_h - c->pad_top;
  const int64_t column = at->column * c->stride_w + tap % c->kernel_w * c->dilation_w - c->pad_left;
  if (row < 0 || row >= x->dims[2] || column < 0 || column >= x->dims[3]) return 0.0f;
  const honed_planes planes = honed_planes_of(x);
  return ((const float *)(planes.data + (at->image * x->dims[1] + channel) * planes.plane_bytes + row * planes.row_bytes))[column];
}

static float accumulate(const honed_call *call, const place *at, int64_t group, int64_t row) {
  const honed_float_conv *p = call->params;
  const honed_band_plan *plan = call->plan;
  const int64_t rows = p->conv.out_channels / p->conv.group, channels = p->conv.in_channels / p->conv.group;
  const int64_t block = group * plan->blocks + row / HONED_FLOAT_ROWS;
  const float *w = p->weights + block * plan->units * plan->taps * HONED_FLOAT_ROWS + row % HONED_FLOAT_ROWS;
  float sum = p->output.bias[group * rows + row];
  for (int64_t unit = 0; unit < plan->units; unit++) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += HONED_FLOAT_ROWS) {
      float pixels[UNIT_CHANNELS] = {0};
      for (int64_t k = 0; k < UNIT_CHANNELS && unit * UNIT_CHANNELS + k < channels; k++) {
        pixels[k] = input_at(call, at, group * channels + unit * UNIT_CHANNELS + k, tap);
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
  const float *residual = r == NULL ? NULL : (const float *)r->data + t->image * r->image_stride + oc * r->plane_stride;
  float *out = (float *)y->data + t->image * y->image_stride + oc * y->plane_stride;
  for (int64_t pixel = t->vector * HONED_VECTOR; pixel < t->fill_end * HONED_VECTOR; pixel++) {
    const bool valid = plan->valid[pixel / 64] >> (pixel % 64) & 1;
    place at = {.image = t->image, .row = pixel / y->row_stride, .column = pixel % y->row_stride};
    at.flat = at.row * x->row_stride + at.column;
    float sum = valid ? accumulate(call, &at, t->group, row) : 0.0f;
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
