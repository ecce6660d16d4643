/* The model that the test programs run (made by conftest.py) and what it computes.
 *
 *   x [n,2,h,w] --spread--> planes --left_sum--> s --increment--> j --increment--> k --increment--> i --flat--> flat
 *                                                 s --flat--> v                       total = add(v, i)
 *
 * Outputs: flat, total, i and x: memory that an operator writes, twice the same memory, and the caller's input. */
#ifndef HONED_TEST_MODEL_H
#define HONED_TEST_MODEL_H

#include "check.h"

enum { NUM_OUTPUTS = 4 };

typedef struct buffers {
  honed_shape shape;
  size_t count; /* elements of every input and output */
  float *x, *flat, *total, *i, *same;
} buffers;

static inline honed_shape shape_of(int64_t n, int64_t h, int64_t w) { return (honed_shape){4, {n, 2, h, w}}; }

static inline buffers buffers_new(honed_shape shape, unsigned seed) {
  buffers b = {.shape = shape, .count = (size_t)(shape.dims[0] * 2 * shape.dims[2] * shape.dims[3])};
  const size_t bytes = (b.count + 1) * sizeof(float);
  float **all[] = {&b.x, &b.flat, &b.total, &b.i, &b.same};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) CHECK((*all[i] = malloc(bytes)) != NULL);
  for (size_t i = 0; i < b.count; i++) b.x[i] = (float)((i * 7 + seed) % 101);
  return b;
}

static inline void buffers_delete(buffers *b) {
  free(b->x);
  free(b->flat);
  free(b->total);
  free(b->i);
  free(b->same);
}

static inline honed_error *buffers_run(honed_session *session, const buffers *b) {
  const size_t bytes = b->count * sizeof(float);
  const honed_input input = {b->x, bytes};
  const honed_output outputs[NUM_OUTPUTS] = {{b->flat, bytes}, {b->total, bytes}, {b->i, bytes}, {b->same, bytes}};
  return honed_session_run(session, &input, 1, outputs, NUM_OUTPUTS);
}

static inline void buffers_check(const buffers *b) {
  const size_t height = (size_t)b->shape.dims[2], width = (size_t)b->shape.dims[3];
  for (size_t at = 0; at < b->count; at++) {
    const size_t row = at / width % height, column = at % width;
    const float sum = b->x[at] + (column > 0 ? b->x[at - 1] : 0) + (row > 0 ? b->x[at - width] : 0);
    CHECK(b->flat[at] == sum + 3 && b->i[at] == sum + 3 && b->total[at] == sum + sum + 3 && b->same[at] == b->x[at]);
  }
}

/* Runs at a shape with fresh buffers, and checks the results. */
static inline void run_and_check(honed_session *session, honed_shape shape, unsigned seed) {
  buffers b = buffers_new(shape, seed);
  CHECK_OK(honed_session_reshape(session, &shape, 1));
  CHECK_OK(buffers_run(session, &b));
  buffers_check(&b);
  buffers_delete(&b);
}

#endif
