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

/* How taps are run through: `taps`, their number where it is constant, or 0; `masked`, those outside of the row are 0. Nine masked taps are
 * a 3x3 kernel whose middle column is within every row. */
typedef struct form {
  int taps;
  bool masked;
} form;

/* Adds a tap of column kx; `columns` are the plan's at this tile. */
ALWAYS void add_tap(const plane *t, int vectors, bool masked, int64_t tap, int64_t kx, const uint64_t *columns, int64_t pixel,
                    floats acc[]) {
  const float *x = t->x + t->plan->offsets[tap] + pixel;
  const floats weight = floats_set1(t->p->weights[t->oc * honed_conv_taps(&t->p->conv) + tap]);
  HONED_UNROLL8(
      v, if (v < vectors) {
        floats value = floats_load(x + v * FLOATS);
        if (masked) value = floats_keep(columns[kx * t->plan->words + v * FLOATS / 64] >> v * FLOATS % 64, value);
        acc[v] = floats_fma(weight, value, acc[v]);
      })
}

/* `vectors` adjacent vectors. */
ALWAYS void run_tile(const plane *t, int vectors, form f, int64_t pixel) {
  const uint64_t *columns = f.masked ? t->plan->columns + pixel / 64 : NULL;
  const floats bias = floats_set1(t->p->output.bias[t->oc]);
  floats acc[VECTORS];
  HONED_UNROLL8(v, if (v < vectors) acc[v] = bias;)
  if (f.taps == 9) {
    HONED_UNROLL3(ky, HONED_UNROLL3(kx, add_tap(t, vectors, f.masked && kx != 1, 3 * ky + kx, kx, columns, pixel, acc);))
  } else {
    for (int64_t i = 0; i < honed_conv_taps(&t->p->conv); i++) {
      add_tap(t, vectors, f.masked, i, f.masked ? t->p->taps[i].kx : 0, columns, pixel, acc);
    }
  }
  HONED_UNROLL8(v, if (v < vectors) finish(t, pixel + v * FLOATS, acc[v]);)
}

/* Tiles are whole words of 64 pixels. */
ALWAYS void run_plane(const plane *t, form f) {
  const int64_t used = t->plan->used_words * 64, all = t->plan->words * 64;
  int64_t pixel = 0;
  for (; !f.masked && pixel + VECTORS * FLOATS <= used; pixel += VECTORS * FLOATS) run_tile(t, VECTORS, f, pixel);
  for (; pixel < used; pixel += 64) run_tile(t, 64 / FLOATS, f, pixel);
  memset(t->out + used, 0, (size_t)(all - used) * sizeof(float));
}

#define RUN_PLANE(name, taps, masked) \
  static __attribute__((noinline)) void name(const plane *t) { run_plane(t, (form){taps, masked}); }
RUN_PLANE(run_plane_of_9, 9, false)
RUN_PLANE(run_plane_of_any, 0, false)
RUN_PLANE(run_plane_of_9_masked, 9, true)
RUN_PLANE(run_plane_of_any_masked, 0, true)
#undef RUN_PLANE

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  plane t = {.p = call->params, .plan = call->plan};
  const honed_conv *c = &t.p->conv;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t multiplier = c->out_channels / c->in_channels, phases = c->phases_h * c->phases_w;
  const bool middle = c->kernel_w == 3 && c->pad_left == 1 && c->dilation_w == 1;
  const bool of_9 = honed_conv_taps(c) == 9 && (middle || t.plan->columns == NULL);
  void (*const run)(const plane *) =
      t.plan->columns != NULL ? (of_9 ? run_plane_of_9_masked : run_plane_of_any_masked) : (of_9 ? run_plane_of_9 : run_plane_of_any);
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / c->out_channels;
    t.oc = i % c->out_channels;
    t.x = (const float *)x->data + image * x->image_stride + t.oc / multiplier * phases * x->plane_stride;
    if (r != NULL) t.residual = (const float *)r->data + image * r->image_stride + t.oc * r->plane_stride;
    t.out = (float *)y->data + image * y->image_stride + t.oc * y->plane_stride;
    run(&t);
  }
}
