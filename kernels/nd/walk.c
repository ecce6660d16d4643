#include "walk.h"

#include <string.h>

#include "shape.h"

enum { TASK_ELEMENTS = 16384 };

static bool merges(const honed_nd_walk *w, int last, int64_t dim, const int64_t *strides) {
  for (int o = 0; o < w->operands; o++) {
    if (w->strides[o][last] != strides[o] * dim) return false;
  }
  return true;
}

/* Adds a dimension inside those that are there. */
static void append(honed_nd_walk *w, int64_t dim, const int64_t *strides) {
  if (dim == 1) return;
  if (w->rank > 0 && merges(w, w->rank - 1, dim, strides)) {
    w->dims[w->rank - 1] *= dim;
  } else {
    w->dims[w->rank++] = dim;
  }
  for (int o = 0; o < w->operands; o++) w->strides[o][w->rank - 1] = strides[o];
}

static void take_rows(honed_nd_walk *w) {
  w->row_length = 1;
  if (w->rank > 0) {
    w->rank--;
    w->row_length = w->dims[w->rank];
    for (int o = 0; o < w->operands; o++) w->row_stride[o] = w->strides[o][w->rank];
  }
  w->rows = 1;
  for (int i = 0; i < w->rank; i++) w->rows *= w->dims[i];
}

void honed_nd_walk_init(honed_nd_walk *w, int rank, const int64_t *dims, int operands, const int64_t *const *strides) {
  memset(w, 0, sizeof *w);
  w->operands = operands;
  for (int i = 0; i < rank; i++) {
    int64_t at[HONED_ND_OPERANDS] = {0};
    for (int o = 0; o < operands; o++) at[o] = strides[o][i];
    append(w, dims[i], at);
  }
  take_rows(w);
  if (w->row_length == 0) w->rows = 0;
  w->rows_per_task = w->row_length > 0 && w->row_length < TASK_ELEMENTS ? TASK_ELEMENTS / w->row_length : 1;
  w->pieces = w->row_length / TASK_ELEMENTS > 1 ? w->row_length / TASK_ELEMENTS : 1;
  w->piece_length = (w->row_length + w->pieces - 1) / w->pieces;
}

int64_t honed_nd_walk_tasks(const honed_nd_walk *w) { return (w->rows + w->rows_per_task - 1) / w->rows_per_task * w->pieces; }

typedef struct position {
  int64_t index[HONED_ND_WALK_RANK];
  int64_t in[HONED_ND_OPERANDS];
} position;

static void seek(const honed_nd_walk *w, int64_t row, position *p) {
  memset(p, 0, sizeof *p);
  for (int i = w->rank - 1; i >= 0; i--) {
    p->index[i] = row % w->dims[i];
    row /= w->dims[i];
    for (int o = 0; o < w->operands; o++) p->in[o] += p->index[i] * w->strides[o][i];
  }
}

static void next(const honed_nd_walk *w, position *p) {
  for (int i = w->rank - 1; i >= 0; i--) {
    const bool wraps = ++p->index[i] == w->dims[i];
    for (int o = 0; o < w->operands; o++) p->in[o] += wraps ? w->strides[o][i] * (1 - w->dims[i]) : w->strides[o][i];
    if (!wraps) return;
    p->index[i] = 0;
  }
}

void honed_nd_walk_run(const honed_nd_walk *w, int64_t task_begin, int64_t task_end, honed_nd_row row, const void *context) {
  for (int64_t task = task_begin; task < task_end; task++) {
    const int64_t first = task / w->pieces * w->rows_per_task, start = task % w->pieces * w->piece_length;
    const int64_t end = first + w->rows_per_task < w->rows ? first + w->rows_per_task : w->rows;
    const int64_t n = start + w->piece_length < w->row_length ? w->piece_length : w->row_length - start;
    position p;
    seek(w, first, &p);
    for (int64_t r = first; r < end && n > 0; r++, next(w, &p)) {
      int64_t in[HONED_ND_OPERANDS];
      for (int o = 0; o < w->operands; o++) in[o] = p.in[o] + start * w->row_stride[o];
      row(context, w, in, r * w->row_length + start, n);
    }
  }
}

honed_status honed_nd_walk_broadcast(honed_call *call, int operands, honed_context *ctx) {
  int rank = 0;
  int64_t dims[HONED_MAX_RANK], strides[HONED_ND_OPERANDS][HONED_MAX_RANK];
  honed_status status = honed_nd_broadcast(operands, call->inputs, &rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(honed_nd_walk), &call->plan, ctx);
  if (status != HONED_OK) return status;
  const int64_t *of[HONED_ND_OPERANDS];
  for (int o = 0; o < operands; o++) {
    honed_nd_broadcast_strides(call->inputs[o], rank, dims, strides[o]);
    of[o] = strides[o];
  }
  honed_nd_walk_init(call->plan, rank, dims, operands, of);
  call->num_tasks = honed_nd_walk_tasks(call->plan);
  call->scratch_bytes = 0;
  return HONED_OK;
}
