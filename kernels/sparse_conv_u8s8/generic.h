/* The loop of the vector kernels, once. Include a conv/products_*.h first, and define MAX_ROWS: how many output channels' sums fit in
 * registers at once, for one vector of pixels, and HALF_VECTORS: 1 where half of a vector takes half the time. */
#include <string.h>

#include "base/integers.h"
#include "base/planes.h"
#include "base/unroll.h"
#include "conv/planes_store.h"
#include "sparse_conv_u8s8.h"

/* Lists are read once and come from far: how many bytes ahead they are fetched. */
enum { OFFSETS_AHEAD = 2048, WEIGHTS_AHEAD = 512 };

typedef struct operands {
  const honed_sparse_conv_u8s8 *p;
  const honed_sparse_conv_plan *plan;
  const uint8_t *x; /* image */
  planes_target target;
} operands;

/* How many pixels a list is run over at a time: whole vectors, and half of one more. */
typedef struct span {
  int vectors;
  bool half;
} span;

ALWAYS int span_vectors(span s) { return s.vectors + s.half; }

ALWAYS void interleave(const uint8_t *const plane[4], int64_t pixel, bool half, bytes quad[4]) {
  const uint8_t *a = plane[0] + pixel, *b = plane[1] + pixel, *c = plane[2] + pixel, *d = plane[3] + pixel;
#if HALF_VECTORS
  if (half) {
    bytes_interleave_half(a, b, c, d, quad);
    return;
  }
#endif
  (void)half;
  bytes_interleave(bytes_load_once(a), bytes_load_once(b), bytes_load_once(c), bytes_load_once(d), quad);
}

ALWAYS ints add_products(ints sum, products a, factors b, bool half) {
#if HALF_VECTORS
  if (half) return products_add_half(sum, a, b);
#endif
  (void)half;
  return products_add(sum, a, b);
}

/* Adds four planes' products to the sums of those channels whose bits are set in `channels`. */
ALWAYS void add_quads(const uint8_t *const plane[4], span s, const factors weight[], unsigned channels, ints acc[]) {
  HONED_UNROLL4(
      v, if (v < span_vectors(s)) {
        const bool half = v == s.vectors;
        bytes quad[4];
        interleave(plane, v * PIXELS, half, quad);
        HONED_UNROLL4(j, {
          const products prepared = products_make(quad[j]);
          HONED_UNROLL4(
              r, if (channels >> r & 1) {
                ints *sum = &acc[(r * span_vectors(s) + v) * 4 + j];
                *sum = add_products(*sum, prepared, weight[r], half);
              })
        })
      })
}

/* Steps over one vector of pixels take little time for what they read of the lists: each fetches its own share ahead. */
ALWAYS void prefetch_step(const int32_t *offsets, const int8_t *w) {
  __builtin_prefetch((const char *)offsets + OFFSETS_AHEAD);
  __builtin_prefetch((const char *)w + WEIGHTS_AHEAD);
}

static void prefetch(const char *p, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i);
}

/* Steps over several vectors have no loads to spare: as much as the whole list, before it. */
static void prefetch_list(const operands *o, const honed_conv_list *l) {
  const int64_t weights = (int64_t)l->size * (l->steps[HONED_SECTION_ALL] + l->steps[HONED_SECTION_APART]);
  prefetch((const char *)(o->plan->offsets + 4 * (int64_t)l->begin) + OFFSETS_AHEAD, honed_conv_list_id_steps(l) * 16);
  prefetch((const char *)o->p->lists.weights + 4 * (int64_t)l->weights + WEIGHTS_AHEAD, weights * 4);
}

/* Two offsets by one load: with four planes' loads, some of which cross cache lines, loads are what a step takes most of. */
ALWAYS void two_planes(const uint8_t *x, const int32_t *offsets, const uint8_t **a, const uint8_t **b) {
  int64_t both;
  memcpy(&both, offsets, sizeof both);
  __asm__("" : "+r"(both));
  *a = x + (int32_t)both;
  *b = x + (both >> 32);
}

/* Where a list is read. */
typedef struct cursor {
  const int32_t *offsets;
  const int8_t *weights; /* of the first channel whose sums are made */
} cursor;

/* Those of the channels row ... row + rows - 1, as bits from row on, whose stream this is. */
ALWAYS unsigned channels_of_stream(int section, int stream, int row, int rows) {
  unsigned channels = 0;
  HONED_UNROLL4(r, if (r < rows && honed_section_stream(section, row + r) == stream) channels |= 1U << r;)
  return channels;
}

/* One section of a list; rows: how many of its `size` channels, from `row` on, have sums here. */
ALWAYS void add_section(int section, int32_t steps, int size, int row, int rows, span span, const uint8_t *x, cursor *at, ints acc[]) {
  const int streams = honed_section_streams(section, size);
  for (; steps > 0; steps--, at->weights += 4 * size, at->offsets += 4 * streams) {
    factors weight[MAX_ROWS];
    HONED_UNROLL4(r, if (r < rows) weight[r] = factors_load(at->weights + 4 * r);)
    if (span_vectors(span) == 1) prefetch_step(at->offsets, at->weights);
    HONED_UNROLL4(
        s, if (channels_of_stream(section, s, row, rows) != 0) {
          const uint8_t *plane[4];
          two_planes(x, at->offsets + 4 * s, &plane[0], &plane[1]);
          two_planes(x, at->offsets + 4 * s + 2, &plane[2], &plane[3]);
          add_quads(plane, span, weight, channels_of_stream(section, s, row, rows), acc);
        })
  }
}

/* What a function is made for: the size of a list, and whether its channels share the first section alone. */
typedef struct shape {
  int size;
  bool together;
} shape;

/* Sums of `rows` output channels, beginning with `row` of the list. */
ALWAYS void accumulate(const operands *o, const honed_conv_list *l, shape shape, int row, int rows, span span, const uint8_t *x,
                       ints acc[]) {
  const int size = shape.size;
  const int vectors = span_vectors(span);
  HONED_UNROLL4(
      r, if (r < rows) {
        const ints init = ints_set1(o->p->requantize.init[l->rows[row + r]]);
        HONED_UNROLL4(v, HONED_UNROLL4(j, if (v < vectors) acc[(r * vectors + v) * 4 + j] = init;))
      })
  cursor at = {o->plan->offsets + 4 * (int64_t)l->begin, (const int8_t *)o->p->lists.weights + 4 * ((int64_t)l->weights + row)};
  add_section(HONED_SECTION_ALL, l->steps[0], size, row, rows, span, x, &at, acc);
  if (shape.together) return;
  if (size == 4) {
    add_section(1, l->steps[1], size, row, rows, span, x, &at, acc);
    add_section(2, l->steps[2], size, row, rows, span, x, &at, acc);
    add_section(3, l->steps[3], size, row, rows, span, x, &at, acc);
  }
  add_section(HONED_SECTION_APART, l->steps[HONED_SECTION_APART], size, row, rows, span, x, &at, acc);
}

ALWAYS void run_rows(const operands *o, const honed_conv_list *l, shape shape, int row, int rows, span span, int64_t pixel) {
  const int vectors = span_vectors(span);
  ints acc[4 * MAX_ROWS]; /* rows * vectors <= MAX_ROWS */
  accumulate(o, l, shape, row, rows, span, o->x + pixel, acc);
  planes_store(&o->target, l->rows + row, rows, pixel, vectors, acc);
}

/* `rows` channels of one list over pixels [pixel, pixel_end), a multiple of what can be taken: as many at a time as have sums that fit in
 * registers, since every pass pays for finding out that the list has ended. */
ALWAYS void run_pixels(const operands *o, const honed_conv_list *l, shape shape, int row, int rows, int64_t p, int64_t pixel_end) {
  const int most = MAX_ROWS / rows;
  for (; most >= 4 && p + 4 * PIXELS <= pixel_end; p += 4 * PIXELS) run_rows(o, l, shape, row, rows, (span){4, false}, p);
  for (; most >= 2 && p + 2 * PIXELS <= pixel_end; p += 2 * PIXELS) run_rows(o, l, shape, row, rows, (span){2, false}, p);
  for (; HALF_VECTORS && most >= 2 && p + PIXELS < pixel_end; p += 2 * PIXELS) run_rows(o, l, shape, row, rows, (span){1, true}, p);
  for (; p + PIXELS <= pixel_end; p += PIXELS) run_rows(o, l, shape, row, rows, (span){1, false}, p);
  for (; HALF_VECTORS && p < pixel_end; p += PIXELS) run_rows(o, l, shape, row, rows, (span){0, true}, p);
}

ALWAYS void run_list(const operands *o, const honed_conv_list *l, shape shape, int64_t pixel, int64_t pixel_end) {
  const int rows = shape.size < MAX_ROWS ? shape.size : MAX_ROWS;
  if (rows < MAX_ROWS && pixel_end - pixel > HONED_WORD) prefetch_list(o, l);
  HONED_UNROLL2(part, if (part * rows < shape.size) run_pixels(o, l, shape, part * rows, rows, pixel, pixel_end);)
}

/* Functions of their own, so that each has the registers to itself. */
#define RUN_LIST(name, size, together)                                                                                        \
  static __attribute__((noinline)) void name(const operands *o, const honed_conv_list *l, int64_t pixel, int64_t pixel_end) { \
    run_list(o, l, (shape){size, together}, pixel, pixel_end);                                                                \
  }
RUN_LIST(run_one, 1, true)
RUN_LIST(run_two_together, 2, true)
RUN_LIST(run_two, 2, false)
RUN_LIST(run_four_together, 4, true)
RUN_LIST(run_four, 4, false)
#undef RUN_LIST

typedef void (*run_list_function)(const operands *o, const honed_conv_list *l, int64_t pixel, int64_t pixel_end);

static run_list_function run_of(const honed_conv_list *l) {
  const bool together = (l->steps[1] | l->steps[2] | l->steps[3] | l->steps[HONED_SECTION_APART]) == 0;
  switch (l->size) {
    case 1: return run_one;
    case 2: return together ? run_two_together : run_two;
    default: return together ? run_four_together : run_four;
  }
}

static void run_task(const operands *o, const honed_sparse_conv_task *t) {
  enum { LEAST = HALF_VECTORS ? PIXELS / 2 : PIXELS };
  const honed_conv_lists *lists = &o->p->lists;
  const int64_t pixel_end = honed_divide_up(t->pixel_end, LEAST) * LEAST;
  const int64_t stored_end = honed_divide_up(t->pixel_end, PIXELS) * PIXELS; /* whole vectors are stored */
  for (int64_t i = t->list; i < t->list_end; i++) {
    const honed_conv_list *l = &lists->lists[i];
    run_of(l)(o, l, t->pixel, pixel_end);
    for (int r = 0; r < l->size && t->fill_end > stored_end; r++)
      honed_planar_fill(o->target.y, t->image, l->rows[r], stored_end, t->fill_end);
  }
}

ALWAYS void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  operands o = {.p = call->params, .plan = call->plan};
  const honed_tensor *x = call->inputs[0];
  for (int64_t i = begin; i < end; i++) {
    const honed_sparse_conv_task t = honed_sparse_conv_task_get(o.plan, o.p->lists.num_lists, i);
    o.x = (const uint8_t *)x->data + t.image * x->image_stride;
    o.target = planes_target_make(call, &o.p->requantize, o.plan->valid, t.image);
    run_task(&o, &t);
  }
}
