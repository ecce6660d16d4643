/* The loop of the vector kernels, once. Include a base/x86_floats_*.h first. */
#include <string.h>

#include "base/unroll.h"
#include "conv/gate_vector.h"
#include "depthwise_f32.h"

typedef struct plane {
  const honed_depthwise_f32 *p;
  const honed_plane_plan *plan;
  const float *x;        /* the channel's first phase plane */
  const float *residual; /* plane, or NULL */
  float *out;            /* plane */
  int64_t oc;
} plane;

/* What sums are clamped to. Read once, since a store of floats might change anything. */
typedef struct bounds {
  floats lo, hi;
} bounds;

ALWAYS bounds bounds_of(const plane *t) { return (bounds){floats_set1(t->p->output.clamp_lo), floats_set1(t->p->output.clamp_hi)}; }

/* Adds the residual, clamps and stores `vectors` adjacent vectors; `valid` has their bits. */
ALWAYS void store_tile(const plane *t, const bounds *clamp, int vectors, int64_t pixel, uint64_t valid, const floats acc[]) {
  const float *residual = t->residual;
  float *out = t->out + pixel;
  HONED_UNROLL8(
      v, if (v < vectors) {
        const floats sum = residual == NULL ? acc[v] : floats_add(acc[v], floats_load(residual + pixel + v * FLOATS));
        floats_store(out + v * FLOATS, floats_keep(valid >> v * FLOATS % 64, floats_clamp(sum, clamp->lo, clamp->hi)));
      })
}

#include "rows.h"
#include "taps.h"

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  plane t = {.p = call->params, .plan = call->plan};
  const honed_conv *c = &t.p->conv;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t multiplier = c->out_channels / c->in_channels, phases = c->phases_h * c->phases_w;
  void (*const run)(const plane *) = choose_run(c, t.plan);
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / c->out_channels;
    t.oc = i % c->out_channels;
    t.x = (const float *)x->data + image * x->image_stride + t.oc / multiplier * phases * x->plane_stride;
    if (r != NULL) t.residual = (const float *)r->data + image * r->image_stride + t.oc * r->plane_stride;
    t.out = (float *)y->data + image * y->image_stride + t.oc * y->plane_stride;
    run(&t);
    gate_floats(&t.p->output.gate, t.out, t.plan->used_pixels);
  }
}
