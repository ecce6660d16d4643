/* The loop of the vector kernels, once. Include a base/x86_floats_*.h first, and define VECTORS_1, VECTORS_2 and VECTORS_4: how many
 * adjacent vectors of pixels a list of 1, 2 or 4 output channels takes at a time, so that their sums fit in registers. Each divides a
 * word of 64 pixels or is two words. */
#include "base/unroll.h"
#include "sparse_conv_f32.h"

#define ALWAYS static inline __attribute__((always_inline))

typedef struct operands {
  const honed_sparse_conv_f32 *p;
  const honed_sparse_conv_plan *plan;
  const float *x;          /* image */
  const float *residual;   /* image, or NULL */
  float *y;                /* image */
  int64_t residual_stride; /* of planes */
  int64_t y_stride;
} operands;

ALWAYS void accumulate(const operands *o, const honed_conv_list *l, int size, int vectors, const float *x, floats acc[]) {
  const int32_t *offsets = o->plan->offsets;
  const float *w = (const float *)o->p->lists.weights + l->weights;
  HONED_UNROLL4(
      r, if (r < size) {
        const floats bias = floats_set1(o->p->output.bias[l->rows[r]]);
        HONED_UNROLL8(v, if (v < vectors) acc[r * vectors + v] = bias;)
      })
  for (int64_t step = l->begin; step < l->end; step++, w += size) {
    const float *plane = x + offsets[step];
    floats weight[4];
    HONED_UNROLL4(r, if (r < size) weight[r] = floats_set1(w[r]);)
    HONED_UNROLL8(
        v, if (v < vectors) {
          const floats pixels = floats_load(plane + v * FLOATS);
          HONED_UNROLL4(r, if (r < size) acc[r * vectors + v] = floats_fma(weight[r], pixels, acc[r * vectors + v]);)
        })
  }
}

ALWAYS void finish(const operands *o, int64_t oc, int64_t pixel, floats sum) {
  if (o->residual != NULL) sum = floats_add(sum, floats_load(o->residual + oc * o->residual_stride + pixel));
  const floats y = floats_clamp(sum, floats_set1(o->p->output.clamp_lo), floats_set1(o->p->output.clamp_hi));
  const uint64_t valid = o->plan->valid[pixel / HONED_WORD] >> (pixel % HONED_WORD);
  floats_store(o->y + oc * o->y_stride + pixel, floats_keep(valid, y));
}

ALWAYS void run_tile(const operands *o, const honed_conv_list *l, int size, int vectors, int64_t pixel) {
  floats acc[4 * 8];
  accumulate(o, l, size, vectors, o->x + pixel, acc);
  HONED_UNROLL4(r, HONED_UNROLL8(v, if (r < size && v < vectors) { finish(o, l->rows[r], pixel + v * FLOATS, acc[r * vectors + v]); }))
}

ALWAYS void run_list(const operands *o, const honed_conv_list *l, int size, int vectors, int64_t word, int64_t word_end) {
  enum { per_word = HONED_WORD / FLOATS };
  int64_t pixel = word * HONED_WORD;
  const int64_t pixel_end = word_end * HONED_WORD;
  for (; pixel + vectors * FLOATS <= pixel_end; pixel += vectors * FLOATS) run_tile(o, l, size, vectors, pixel);
  for (; vectors > per_word && pixel < pixel_end; pixel += HONED_WORD) run_tile(o, l, size, per_word, pixel);
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_LIST(name, size, vectors)                                                                                       \
  static __attribute__((noinline)) void name(const operands *o, const honed_conv_list *l, int64_t word, int64_t word_end) { \
    run_list(o, l, size, vectors, word, word_end);                                                                          \
  }
RUN_LIST(run_list_1, 1, VECTORS_1)
RUN_LIST(run_list_2, 2, VECTORS_2)
RUN_LIST(run_list_4, 4, VECTORS_4)
#undef RUN_LIST

typedef void (*run_list_function)(const operands *o, const honed_conv_list *l, int64_t word, int64_t word_end);
static const run_list_function run_of_size[5] = {NULL, run_list_1, run_list_2, NULL, run_list_4};

static void run_task(const operands *o, const honed_sparse_conv_task *t) {
  const honed_conv_lists *lists = &o->p->lists;
  for (int64_t i = t->list; i < t->list_end; i++) {
    const honed_conv_list *l = &lists->lists[i];
    run_of_size[l->size](o, l, t->word, t->word_end);
    for (int r = 0; r < l->size; r++) {
      float *plane = o->y + l->rows[r] * o->y_stride;
      for (int64_t p = t->word_end * HONED_WORD; p < t->fill_end * HONED_WORD; p++) plane[p] = 0.0f;
    }
  }
}

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  operands o = {.p = call->params, .plan = call->plan, .y_stride = call->outputs[0]->plane_stride};
  const honed_tensor *x = call->inputs[0], *residual = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int64_t i = begin; i < end; i++) {
    const honed_sparse_conv_task t = honed_sparse_conv_task_get(o.plan, o.p->lists.num_lists, i);
    o.x = (const float *)x->data + t.image * x->image_stride;
    o.y = (float *)call->outputs[0]->data + t.image * call->outputs[0]->image_stride;
    if (residual != NULL) {
      o.residual = (const float *)residual->data + t.image * residual->image_stride;
      o.residual_stride = residual->plane_stride;
    }
    run_task(&o, &t);
  }
}
