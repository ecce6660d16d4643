/* The loops for one tap per channel: a word of PIXELS pixels is interleaved once, in split order, and stays in the first-level cache while
 * all output channels pass over it. Include a conv/products_*.h first, or pairs_products.h, and define before inclusion POINTWISE_ROWS: for
 * how many output channels the sums of a word fit in registers, 2 or 4. */
#include "base/planes.h"
#include "conv/planes_store.h"
#include "conv_u8s8.h"

#ifndef HAS_REST
static inline const int8_t *weights_of(const honed_conv_u8s8 *p) { return p->weights; }
#endif

typedef struct pointwise_band {
  const honed_conv_u8s8 *p;
  const honed_band_plan *plan;
  honed_band_task task;
  planes_target target;
  uint8_t *words; /* scratch: [words][quads][4 vectors] */
} pointwise_band;

static void pointwise_copy(const pointwise_band *b, const honed_tensor *x) {
  static const uint8_t absent[PIXELS];
  const honed_conv *c = &b->p->conv;
  const int64_t channels = c->in_channels / c->group, begin = b->task.vector * HONED_VECTOR, end = b->task.vector_end * HONED_VECTOR;
  const uint8_t *planes = (const uint8_t *)x->data + b->task.image * x->image_stride + b->task.group * channels * x->plane_stride;
  uint8_t *out = b->words;
  for (int64_t pixel = begin; pixel < end; pixel += PIXELS) {
    const uint8_t *in = planes + pixel + b->plan->first_shift;
    for (int64_t channel = 0; channel < channels; channel += 4, in += 4 * x->plane_stride, out += 4 * PIXELS) {
      bytes v[4], quad[4];
      HONED_UNROLL4(k, v[k] = bytes_load(channel + k < channels ? in + k * x->plane_stride : absent);)
      bytes_interleave(v[0], v[1], v[2], v[3], quad);
      HONED_UNROLL4(k, bytes_store(out + k * PIXELS, quad[k]);)
    }
  }
}

#ifdef HAS_REST
/* What the weights lack of HONED_PAIR_ROWS output channels, which `row` channels of all blocks precede. */
ALWAYS void pointwise_add_rest(const pointwise_band *b, int64_t row, const uint8_t *word, ints acc[]) {
  for (const rest *i = rest_of(b->p, row), *end = rest_of(b->p, row + HONED_PAIR_ROWS); i < end; i++) {
    const factors weight[HONED_PAIR_ROWS] = {factors_load(i->weights[0]), factors_load(i->weights[1])};
    HONED_UNROLL4(j, {
      const products quad = products_make(bytes_load(word + (i->quad * 4 + j) * PIXELS));
      HONED_UNROLL2(r, acc[4 * r + j] = products_add(acc[4 * r + j], quad, weight[r]);)
    })
  }
}
#endif

/* POINTWISE_ROWS output channels from `oc` on, of which those before oc_end exist; w: their weights in their block; row: how many channels
 * precede them in all blocks. */
static __attribute__((noinline)) void pointwise_rows(const pointwise_band *b, const int8_t *w, int64_t row, const uint8_t *word, int64_t oc,
                                                     int64_t oc_end, int64_t pixel) {
  const honed_requantize *requantize = &b->p->requantize;
  ints acc[4 * POINTWISE_ROWS];
  HONED_UNROLL4(
      r, if (r < POINTWISE_ROWS) {
        const ints init = ints_set1(requantize->init[honed_smaller(oc + r, oc_end - 1)]);
        HONED_UNROLL4(j, acc[4 * r + j] = init;)
      })
  const uint8_t *quads = word;
  for (int64_t quad = b->p->quads; quad > 0; quad--, w += 4 * HONED_CONV_U8S8_ROWS, quads += 4 * PIXELS) {
    factors weight[POINTWISE_ROWS];
    HONED_UNROLL4(r, if (r < POINTWISE_ROWS) weight[r] = factors_load(w + 4 * r);)
    HONED_UNROLL4(j, {
      const products prepared = products_make(bytes_load(quads + j * PIXELS));
      HONED_UNROLL4(r, if (r < POINTWISE_ROWS) acc[4 * r + j] = products_add(acc[4 * r + j], prepared, weight[r]);)
    })
  }
#ifdef HAS_REST
  HONED_UNROLL4(r, if (r < POINTWISE_ROWS && r % HONED_PAIR_ROWS == 0) pointwise_add_rest(b, row + r, word, acc + 4 * r);)
#else
  (void)row;
#endif
  const int32_t first = (int32_t)oc, channels[] = {first, first + 1, first + 2, first + 3};
  if (oc + POINTWISE_ROWS <= oc_end) {
    planes_store(&b->target, channels, POINTWISE_ROWS, pixel, 1, acc);
  } else {
    HONED_UNROLL4(r, if (r < POINTWISE_ROWS && oc + r < oc_end) planes_store(&b->target, channels + r, 1, pixel, 1, &acc[4 * r]);)
  }
}

static void pointwise_run(const pointwise_band *b) {
  const int64_t rows = b->p->conv.out_channels / b->p->conv.group, first = b->task.group * rows, oc_end = first + rows;
  const int64_t begin = b->task.vector * HONED_VECTOR, fill_end = b->task.fill_end * HONED_VECTOR;
  const int64_t end = honed_divide_up(b->task.vector_end * HONED_VECTOR, PIXELS) * PIXELS, block_bytes = honed_band_block_bytes(b->plan);
  const int64_t before = b->task.group * b->plan->blocks;
  const int8_t *weights = weights_of(b->p) + before * block_bytes;
  for (int64_t pixel = begin; pixel < end; pixel += PIXELS) {
    const uint8_t *word = b->words + (pixel - begin) * 4 * b->p->quads;
    for (int64_t block = b->task.block; block < b->task.block_end; block++) {
      for (int64_t row = 0; row < HONED_CONV_U8S8_ROWS; row += POINTWISE_ROWS) {
        const int64_t oc = first + block * HONED_CONV_U8S8_ROWS + row;
        const int64_t preceding = (before + block) * HONED_CONV_U8S8_ROWS + row;
        if (oc < oc_end) pointwise_rows(b, weights + block * block_bytes + 4 * row, preceding, word, oc, oc_end, pixel);
      }
    }
  }
  if (fill_end <= end) return;
  for (int64_t oc = first + b->task.block * HONED_CONV_U8S8_ROWS;
       oc < honed_smaller(first + b->task.block_end * HONED_CONV_U8S8_ROWS, oc_end); oc++)
    honed_planar_fill(b->target.y, b->task.image, oc, end, fill_end);
}

static void pointwise_run_tasks(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  pointwise_band b = {.p = call->params, .plan = call->plan, .words = scratch};
  for (int64_t i = begin; i < end; i++) {
    b.task = honed_band_task_get(b.plan, i);
    b.target = planes_target_make(call, &b.p->requantize, b.plan->valid, b.task.image);
    /* Chunks of one band follow each other: the first of a call fills scratch for all. */
    if (i == begin || i % b.plan->chunks == 0) pointwise_copy(&b, call->inputs[0]);
    pointwise_run(&b);
  }
}
