#include <math.h>

#include "depthwise_f32.h"

/* Whether a tap of this column lies within the row of a pixel. */
static bool within(const honed_plane_plan *plan, int64_t kx, int64_t pixel) {
  return plan->columns == NULL || (plan->columns[kx * plan->words + pixel / 64] >> pixel % 64 & 1);
}

void honed_depthwise_f32__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_depthwise_f32 *p = call->params;
  const honed_plane_plan *plan = call->plan;
  const honed_conv *c = &p->conv;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t multiplier = c->out_channels / c->in_channels, taps = honed_conv_taps(c);
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / c->out_channels, oc = i % c->out_channels;
    const float *in = (const float *)x->data + image * x->image_stride + oc / multiplier * c->phases_h * c->phases_w * x->plane_stride;
    const float *residual = r == NULL ? NULL : (const float *)r->data + image * r->image_stride + oc * r->plane_stride;
    float *out = (float *)y->data + image * y->image_stride + oc * y->plane_stride;
    for (int64_t pixel = 0; pixel < y->plane_stride; pixel++) {
      const bool valid = plan->valid[pixel / 64] >> (pixel % 64) & 1;
      float sum = p->output.bias[oc];
      for (int64_t t = 0; valid && t < taps; t++) {
        sum = fmaf(p->weights[oc * taps + t], within(plan, p->taps[t].kx, pixel) ? in[plan->offsets[t] + pixel] : 0.0f, sum);
      }
      if (valid && residual != NULL) sum += residual[pixel];
      out[pixel] = valid ? honed_output_f32_apply(&p->output, sum) : 0.0f;
    }
  }
}
