/* The loop of the vector kernels, once. Include a conv/products_*.h first, and define PAIRS where sums of pairs in 16 bits are faster than
 * those products. */
#include <string.h>

#include "conv/requantize_bytes.h"
#include "depthwise_u8s8.h"

typedef struct plane {
  const honed_depthwise_u8s8 *p;
  const honed_plane_plan *plan;
  const uint8_t *x;        /* the channel's first phase plane */
  const uint8_t *residual; /* plane, or NULL */
  const honed_tensor *y;
  void *out; /* plane */
  int64_t oc;
} plane;

ALWAYS void finish(const plane *t, int64_t pixel, const ints acc[4]) {
  const honed_requantize *r = &t->p->requantize;
  const uint64_t valid = t->plan->valid[pixel / 64] >> (pixel % 64);
  if (t->y->dtype == HONED_F32) {
    requantize_store_f32(r, t->oc, acc, valid, (float *)t->out + pixel);
    return;
  }
  bytes result;
  if (t->residual != NULL) {
    result = requantize_sum_bytes(r, t->oc, acc, bytes_load(t->residual + pixel));
  } else {
    result = requantize_bytes(r, t->oc, acc);
  }
  bytes_store((uint8_t *)t->out + pixel, bytes_blend(valid, result, bytes_set1(t->y->zero_point)));
}

static void fill_rest(const plane *t) {
  const int64_t filled = t->plan->used_words * 64, rest = t->plan->words * 64 - filled;
  const size_t element = honed_dtype_bytes(t->y->dtype);
  memset((char *)t->out + (size_t)filled * element, t->y->dtype == HONED_U8 ? t->y->zero_point : 0, (size_t)rest * element);
}

#ifdef PAIRS
enum { MOST_SEGMENTS = 12 /* 5x5 has 10 */ };

/* What a channel's segments are multiplied with, and in which order. */
typedef struct ordered_segments {
  ints weights[MOST_SEGMENTS];
  bytes places[MOST_SEGMENTS];
} ordered_segments;

/* Whether every segment of the channel has an order. */
ALWAYS bool order_segments(const plane *t, int64_t count, ordered_segments *out) {
  static const uint8_t places[HONED_DEPTHWISE_ORDERS][4] = {{0, 1, 2, 3}, {0, 2, 1, 3}, {0, 3, 1, 2}};
  if (count > MOST_SEGMENTS) return false;
  for (int64_t s = 0; s < count; s++) {
    const int8_t *w = t->p->weights + 4 * (t->oc * count + s);
    const uint8_t order = t->p->orders[t->oc * count + s];
    if (order == HONED_DEPTHWISE_ORDERS) return false;
    const uint8_t *place = places[order];
    const int8_t ordered[4] = {w[place[0]], w[place[1]], w[place[2]], w[place[3]]};
    int32_t quad;
    memcpy(&quad, ordered, sizeof quad);
    out->weights[s] = ints_set1(quad);
    out->places[s] = bytes_places((char)place[1], (char)place[2], (char)place[3]);
  }
  return true;
}

ALWAYS void add_pairs(const plane *t, const ordered_segments *ordered, int64_t count, int64_t pixel, ints acc[4]) {
  HONED_UNROLL12(
      s, if (s < count) {
        const uint8_t *x = t->x + t->plan->offsets[s] + pixel;
        HONED_UNROLL4(j, acc[j] = bytes_add_pairs(acc[j], bytes_windows(x, j, ordered->places[s]), ordered->weights[s]);)
      })
}
#endif

ALWAYS void add_segments(const plane *t, int64_t count, int64_t pixel, ints acc[4]) {
  const int8_t *w = t->p->weights + 4 * t->oc * count;
  const bytes places = bytes_places(1, 2, 3);
  for (int64_t s = 0; s < count; s++) {
    const uint8_t *x = t->x + t->plan->offsets[s] + pixel;
    const factors weight = factors_load(w + 4 * s);
    HONED_UNROLL4(j, acc[j] = products_add(acc[j], products_make(bytes_windows(x, j, places)), weight);)
  }
}

/* `segments`: their number where it is constant, so that the loop over them is unrolled and their weights stay in registers; or 0. */
ALWAYS void run_plane(const plane *t, int64_t segments) {
  const int64_t count = segments > 0 ? segments : t->p->num_segments;
  const ints init = ints_set1(t->p->requantize.init[t->oc]);
#ifdef PAIRS
  ordered_segments ordered;
  if (order_segments(t, count, &ordered)) {
    for (int64_t pixel = 0; pixel < t->plan->used_words * 64; pixel += PIXELS) {
      ints acc[4] = {init, init, init, init};
      add_pairs(t, &ordered, count, pixel, acc);
      finish(t, pixel, acc);
    }
    fill_rest(t);
    return;
  }
#endif
  for (int64_t pixel = 0; pixel < t->plan->used_words * 64; pixel += PIXELS) {
    ints acc[4] = {init, init, init, init};
    add_segments(t, count, pixel, acc);
    finish(t, pixel, acc);
  }
  fill_rest(t);
}

static __attribute__((noinline)) void run_plane_of_3(const plane *t) { run_plane(t, 3); }
static __attribute__((noinline)) void run_plane_of_6(const plane *t) { run_plane(t, 6); }
static __attribute__((noinline)) void run_plane_of_any(const plane *t) { run_plane(t, 0); }

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  plane t = {.p = call->params, .plan = call->plan, .y = call->outputs[0]};
  const honed_conv *c = &t.p->conv;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0], *r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  const int64_t multiplier = c->out_channels / c->in_channels, phases = c->phases_h * c->phases_w;
  for (int64_t i = begin; i < end; i++) {
    const int64_t image = i / c->out_channels;
    t.oc = i % c->out_channels;
    t.x = (const uint8_t *)x->data + image * x->image_stride + t.oc / multiplier * phases * x->plane_stride;
    if (r != NULL) t.residual = (const uint8_t *)r->data + image * r->image_stride + t.oc * r->plane_stride;
    t.out = (char *)y->data + (size_t)(image * y->image_stride + t.oc * y->plane_stride) * honed_dtype_bytes(y->dtype);
    if (t.p->num_segments == 3) {
      run_plane_of_3(&t);
    } else if (t.p->num_segments == 6) {
      run_plane_of_6(&t);
    } else {
      run_plane_of_any(&t);
    }
  }
}
