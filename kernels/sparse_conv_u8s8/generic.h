/* The loop of the vector kernels, once. Include a base/x86_bytes_*.h first, and define before inclusion
 *
 *   products                        type: four interleaved planes of one split vector, ready to be multiplied
 *   products products_make(ints)
 *   factors                         type: four weights of one output channel, broadcast
 *   factors factors_load(const int8_t *)
 *   ints products_add(ints acc, products, factors)
 *   MAX_ROWS                        output channels whose sums fit in registers at once, for one vector of pixels */
#include "conv/requantize_bytes.h"
#include "sparse_conv_u8s8.h"

#define ALWAYS static inline __attribute__((always_inline))

typedef struct operands {
  const honed_sparse_conv_u8s8 *p;
  const honed_sparse_conv_plan *plan;
  const uint8_t *x;        /* image */
  const uint8_t *residual; /* image, or NULL */
  int64_t residual_stride; /* of planes */
  const honed_tensor *y;
  int64_t image;
} operands;

/* Sums of `rows` output channels, beginning with `row` of the list, over `vectors` adjacent vectors of pixels. */
ALWAYS void accumulate(const operands *o, const honed_conv_list *l, int size, int row, int rows, int vectors, bool wide, const uint8_t *x,
                       ints acc[]) {
  const honed_conv_lists *lists = &o->p->lists;
  const int32_t *offsets = o->plan->offsets;
  const int8_t *w = (const int8_t *)lists->weights + 4 * ((int64_t)l->weights + row);
  const void *ids = wide ? (const void *)((const int32_t *)lists->ids + 4 * (int64_t)l->begin)
                         : (const void *)((const uint16_t *)lists->ids + 4 * (int64_t)l->begin);
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
    const ints init = ints_set1(o->p->requantize.init[l->rows[row + r]]);
#pragma GCC unroll 8
    for (int i = 0; i < 4 * vectors; i++) acc[r * 4 * vectors + i] = init;
  }
  for (int64_t steps = l->end - l->begin; steps > 0; steps--, w += 4 * size) {
    const uint8_t *plane[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) plane[k] = x + offsets[honed_conv_id(ids, k, wide)];
    ids = (const char *)ids + (wide ? 16 : 8);
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      bytes quad[4];
      bytes_interleave(bytes_load(plane[0] + v * PIXELS), bytes_load(plane[1] + v * PIXELS), bytes_load(plane[2] + v * PIXELS),
                       bytes_load(plane[3] + v * PIXELS), quad);
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) {
        const products prepared = products_make(quad[j]);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) {
          ints *sum = &acc[(r * vectors + v) * 4 + j];
          *sum = products_add(*sum, prepared, factors_load(w + 4 * r));
        }
      }
    }
  }
}

ALWAYS void finish(const operands *o, int64_t oc, int64_t pixel, const ints acc[4]) {
  const honed_requantize *r = &o->p->requantize;
  const uint64_t valid = o->plan->valid[pixel / HONED_WORD] >> (pixel % HONED_WORD);
  const int64_t at = o->image * o->y->image_stride + oc * o->y->plane_stride + pixel;
  if (o->y->dtype == HONED_F32) {
    requantize_store_f32(r, oc, acc, valid, (float *)o->y->data + at);
    return;
  }
  bytes result;
  if (o->residual != NULL) {
    result = requantize_sum_bytes(r, oc, acc, bytes_load(o->residual + oc * o->residual_stride + pixel));
  } else {
    result = requantize_bytes(r, oc, acc);
  }
  bytes_store((uint8_t *)o->y->data + at, bytes_blend(valid, result, bytes_set1(o->y->zero_point)));
}

ALWAYS void run_rows(const operands *o, const honed_conv_list *l, int size, int row, int rows, int vectors, bool wide, int64_t pixel) {
  ints acc[rows * vectors * 4];
  accumulate(o, l, size, row, rows, vectors, wide, o->x + pixel, acc);
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) finish(o, l->rows[row + r], pixel + v * PIXELS, &acc[(r * vectors + v) * 4]);
  }
}

/* One list over words [word, word_end): two vectors at a time where their sums fit in registers. */
ALWAYS void run_list(const operands *o, const honed_conv_list *l, int size, bool wide, int64_t word, int64_t word_end) {
  const int rows = size < MAX_ROWS ? size : MAX_ROWS;
  const int vectors = 2 * rows <= MAX_ROWS ? 2 : 1;
  const int64_t pixel_end = word_end * HONED_WORD;
#pragma GCC unroll 4
  for (int row = 0; row < size; row += rows) {
    int64_t pixel = word * HONED_WORD;
    for (; vectors == 2 && pixel + 2 * PIXELS <= pixel_end; pixel += 2 * PIXELS) run_rows(o, l, size, row, rows, 2, wide, pixel);
    for (; pixel < pixel_end; pixel += PIXELS) run_rows(o, l, size, row, rows, 1, wide, pixel);
  }
}

static void fill(const operands *o, const honed_conv_list *l, int64_t word, int64_t word_end) {
  for (int r = 0; r < l->size; r++) {
    const int64_t at = o->image * o->y->image_stride + l->rows[r] * o->y->plane_stride;
    for (int64_t i = word * HONED_WORD; i < word_end * HONED_WORD; i++) {
      if (o->y->dtype == HONED_F32) {
        ((float *)o->y->data)[at + i] = 0.0f;
      } else {
        ((uint8_t *)o->y->data)[at + i] = o->y->zero_point;
      }
    }
  }
}

static void run_task(const operands *o, const honed_sparse_conv_task *t) {
  const honed_conv_lists *lists = &o->p->lists;
  for (int64_t i = t->list; i < t->list_end; i++) {
    const honed_conv_list *l = &lists->lists[i];
    switch (l->size * 2 + lists->wide_ids) {
      case 2: run_list(o, l, 1, false, t->word, t->word_end); break;
      case 3: run_list(o, l, 1, true, t->word, t->word_end); break;
      case 4: run_list(o, l, 2, false, t->word, t->word_end); break;
      case 5: run_list(o, l, 2, true, t->word, t->word_end); break;
      case 8: run_list(o, l, 4, false, t->word, t->word_end); break;
      default: run_list(o, l, 4, true, t->word, t->word_end); break;
    }
    if (t->fill_end > t->word_end) fill(o, l, t->word_end, t->fill_end);
  }
}

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  operands o = {.p = call->params, .plan = call->plan, .y = call->outputs[0]};
  const honed_tensor *x = call->inputs[0], *residual = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int64_t i = begin; i < end; i++) {
    const honed_sparse_conv_task t = honed_sparse_conv_task_get(o.plan, o.p->lists.num_lists, i);
    o.image = t.image;
    o.x = (const uint8_t *)x->data + t.image * x->image_stride;
    if (residual != NULL) {
      o.residual = (const uint8_t *)residual->data + t.image * residual->image_stride;
      o.residual_stride = residual->plane_stride;
    }
    run_task(&o, &t);
  }
}
