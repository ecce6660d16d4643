/* The loop of the vector kernels, once. Include a base/x86_floats_*.h first. */
#include <string.h>

#include "base/unroll.h"
#include "depthwise_f32.h"

#define ALWAYS static inline __attribute__((always_inline))

enum { VECTORS = 8 }; /* at a time */

typedef struct plane {
  const honed_depthwise_f32 *p;
  const honed_plane_plan *plan;
  const float *x;        /* the channel's first phase plane */
  const float *residual; /* plane, or NULL */
  float *out;            /* plane */
  int64_t oc;
} plane;

ALWAYS void finish(const plane *t, int64_t pixel, floats sum) {
  if (t->residual != NULL) sum = floats_add(sum, floats_load(t->residual + pixel));
  const floats y = floats_clamp(sum, floats_set1(t->p->output.clamp_lo), floats_set1(t->p->output.clamp_hi));
  floats_store(t->out + pixel, floats_keep(t->plan->valid[pixel / 64] >> (pixel % 64), y));
}

/* `vectors` adjacent vectors; `constant_taps`: their number where it is constant, or 0. */
ALWAYS void run_tile(const plane *t, int vectors, int64_t constant_taps, int64_t pixel) {
  const int64_t taps = constant_taps > 0 ? constant_taps : honed_conv_taps(&t->p->conv);
  const float *w = t->p->weights + t->oc * taps;
  const floats bias = floats_set1(t->p->output.bias[t->oc]);
  floats acc[VECTORS];
  HONED_UNROLL8(v, if (v < vectors) acc[v] = bias;)
  for (int64_t i = 0; i < taps; i++) {
    const float *x = t->x + t->plan->offsets[i] + pixel;
    const floats weight = floats_set1(w[i]);
    HONED_UNROLL8(v, if (v < vectors) acc[v] = floats_fma(weight, floats_load(x + v * FLOATS), acc[v]);)
  }
  HONED_UNROLL8(v, if (v < vectors) finish(t, pixel + v * FLOATS, acc[v]);)
}

ALWAYS void run_plane(const plane *t, int64_t constant_taps) {
  const int64_t used = t->plan->used_words * 64, all = t->plan->words * 64;
  int64_t pixel = 0;
  for (; pixel + VECTORS * FLOATS <= used; pixel += VECTORS * FLOATS) run_tile(t, VECTORS, constant_taps, pixel);
  for (; pixel < used; pixel += VECTORS / 2 * FLOATS) run_tile(t, VECTORS / 2, constant_taps, pixel);
  memset(t->out + used, 0, (size_t)(all - used) * sizeof(float));
}

static __attribute__((noinline)) void run_plane_of_9(const plane *t) { run_plane(t, 9); }
static __attribute__((noinline)) void run_plane_of_any(const plane *t) { run_plane(t, 0); }

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  plane t = {.p = call->params, .plan = call->plan};
  const honed_conv *c = &t.p->conv;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t multiplier = c->out_channels / c->in_channels, phases = c->phases_h * c->phases_w;
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / c->out_channels;
    t.oc = i % c->out_channels;
    t.x = (const float *)x->data + image * x->image_stride + t.oc / multiplier * phases * x->plane_stride;
    if (r != NULL) t.residual = (const float *)r->data + image * r->image_stride + t.oc * r->plane_stride;
    t.out = (float *)y->data + image * y->image_stride + t.oc * y->plane_stride;
    if (honed_conv_taps(c) == 9) {
      run_plane_of_9(&t);
    } else {
      run_plane_of_any(&t);
    }
  }
}
