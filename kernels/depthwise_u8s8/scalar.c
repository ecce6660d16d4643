#include "depthwise_u8s8.h"

static int32_t accumulate(const honed_depthwise_u8s8 *p, const int64_t *offsets, int64_t oc, const uint8_t *x) {
  /* Unsigned: a sum beyond 32 bits wraps, as the vector units have it. */
  uint32_t acc = (uint32_t)p->requantize.init[oc];
  for (int64_t s = 0; s < p->num_segments; s++) {
    const int8_t *w = p->weights + 4 * (oc * p->num_segments + s);
    for (int k = 0; k < 4; k++) {
      /* A segment's padding has weights of 0, and may lie outside what can be read. */
      if (w[k] != 0) acc += (uint32_t)(w[k] * x[offsets[s] + k]);
    }
  }
  return (int32_t)acc;
}

void honed_depthwise_u8s8__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_depthwise_u8s8 *p = call->params;
  const honed_plane_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t multiplier = p->conv.out_channels / p->conv.in_channels, phases = p->conv.phases_h * p->conv.phases_w;
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / p->conv.out_channels, oc = i % p->conv.out_channels;
    const uint8_t *in = (const uint8_t *)x->data + image * x->image_stride + oc / multiplier * phases * x->plane_stride;
    const int64_t out = image * y->image_stride + oc * y->plane_stride;
    for (int64_t pixel = 0; pixel < y->plane_stride; pixel++) {
      const bool valid = plan->valid[pixel / 64] >> (pixel % 64) & 1;
      const int32_t acc = valid ? accumulate(p, plan->offsets, oc, in + pixel) : 0;
      if (y->dtype == HONED_F32) {
        ((float *)y->data)[out + pixel] = valid ? honed_requantize_f32(&p->requantize, oc, acc) : 0.0f;
      } else if (!valid) {
        ((uint8_t *)y->data)[out + pixel] = y->zero_point;
      } else if (r != NULL) {
        const uint8_t residual = ((const uint8_t *)r->data)[image * r->image_stride + oc * r->plane_stride + pixel];
        ((uint8_t *)y->data)[out + pixel] = honed_requantize_sum_u8(&p->requantize, oc, acc, residual);
      } else {
        ((uint8_t *)y->data)[out + pixel] = honed_requantize_u8(&p->requantize, oc, acc);
      }
    }
  }
}
