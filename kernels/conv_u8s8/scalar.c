#include "conv_u8s8.h"

static int32_t accumulate(const honed_conv_u8s8 *p, const honed_band_plan *plan, const honed_tensor *x, const uint8_t *image, int64_t group,
                          int64_t row, int64_t pixel) {
  const honed_conv *c = &p->conv;
  const int64_t channels = c->in_channels / c->group, rows = c->out_channels / c->group;
  const int8_t *w = p->weights + (group * plan->blocks + row / plan->rows) * honed_band_block_bytes(plan) + row % plan->rows * 4;
  /* Unsigned: a sum beyond 32 bits wraps, as the vector units have it. */
  uint32_t acc = (uint32_t)p->requantize.init[group * rows + row];
  for (int64_t quad = 0; quad < p->quads; quad++) {
    for (int64_t tap = 0; tap < plan->taps; tap++, w += 4 * plan->rows) {
      for (int64_t k = 0; k < 4 && 4 * quad + k < channels; k++) {
        const int64_t plane = (group * channels + 4 * quad + k) * plan->phases + plan->tap_phase[tap];
        acc += (uint32_t)(w[k] * image[plane * x->plane_stride + plan->tap_shift[tap] + pixel]);
      }
    }
  }
  return (int32_t)acc;
}

static void run_row(const honed_call *call, const honed_band_task *t, int64_t row) {
  const honed_conv_u8s8 *p = call->params;
  const honed_band_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t oc = t->group * (p->conv.out_channels / p->conv.group) + row;
  const uint8_t *image = (const uint8_t *)x->data + t->image * x->image_stride;
  const int64_t out = t->image * y->image_stride + oc * y->plane_stride;
  for (int64_t pixel = t->vector * HONED_VECTOR; pixel < t->fill_end * HONED_VECTOR; pixel++) {
    const bool valid = plan->valid[pixel / 64] >> (pixel % 64) & 1;
    const int32_t acc = valid ? accumulate(p, plan, x, image, t->group, row, pixel) : 0;
    if (y->dtype == HONED_F32) {
      ((float *)y->data)[out + pixel] = valid ? honed_requantize_f32(&p->requantize, oc, acc) : 0.0f;
    } else if (!valid) {
      ((uint8_t *)y->data)[out + pixel] = y->zero_point;
    } else if (r != NULL) {
      const uint8_t residual = ((const uint8_t *)r->data)[t->image * r->image_stride + oc * r->plane_stride + pixel];
      ((uint8_t *)y->data)[out + pixel] = honed_requantize_sum_u8(&p->requantize, oc, acc, residual);
    } else {
      ((uint8_t *)y->data)[out + pixel] = honed_requantize_u8(&p->requantize, oc, acc);
    }
  }
}

void honed_conv_u8s8__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_conv *c = &((const honed_conv_u8s8 *)call->params)->conv;
  const honed_band_plan *plan = call->plan;
  const int64_t rows = c->out_channels / c->group;
  for (int64_t i = begin; i < end; i++) {
    const honed_band_task t = honed_band_task_get(plan, i);
    for (int64_t row = t.block * plan->rows; row < t.block_end * plan->rows && row < rows; row++) run_row(call, &t, row);
  }
}
