#include "copy.h"

#include <string.h>

#include "walk.h"

enum { TILE = 16, STRIP = 4 * TILE };

/* Where the input runs along another dimension than the output, the two dimensions are copied in tiles:
 * y[i * y_stride + j] = x[i + j * x_stride] for 0 <= i < m, 0 <= j < n. */
typedef struct transposition {
  int64_t m, n, x_stride, y_stride, strips;
} transposition;

typedef struct copy {
  bool transposed;
  transposition tile;
  honed_nd_walk walk; /* transposed: of the dimensions around the tile; operand 0 the input, operand 1 the output */
  int64_t start, tasks;
} copy;

typedef struct copy_plan {
  int64_t element_bytes;
  int count;
  copy copies[]; /* one per output */
} copy_plan;

typedef struct row_context {
  const char *x;
  char *y;
  size_t element_bytes;
} row_context;

#define STRIDED(name, type)                                                                           \
  static void name(const void *from, void *to, int64_t n, int64_t stride) {                           \
    const type *x = from;                                                                             \
    type *y = to;                                                                                     \
    for (int64_t i = 0; i < n; i++) y[i] = x[i * stride];                                             \
  }                                                                                                   \
  static void name##_tile(const void *from, void *to, int64_t m, int64_t n, int64_t xs, int64_t ys) { \
    const type *x = from;                                                                             \
    type *y = to;                                                                                     \
    for (int64_t i = 0; i < m; i++) {                                                                 \
      for (int64_t j = 0; j < n; j++) y[i * ys + j] = x[i + j * xs];                                  \
    }                                                                                                 \
  }
STRIDED(strided_1, uint8_t)
STRIDED(strided_4, uint32_t)
STRIDED(strided_8, uint64_t)
#undef STRIDED

static void copy_row(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n) {
  const row_context *c = context;
  const size_t size = c->element_bytes;
  const char *x = c->x + in[0] * (int64_t)size;
  char *y = c->y + at * (int64_t)size;
  const int64_t stride = walk->row_stride[0];
  if (stride == 1) {
    memcpy(y, x, (size_t)n * size);
  } else if (size == 1) {
    strided_1(x, y, n, stride);
  } else if (size == 4) {
    strided_4(x, y, n, stride);
  } else {
    strided_8(x, y, n, stride);
  }
}

static void copy_tile(const row_context *c, const transposition *t, const char *x, char *y, int64_t i, int64_t m) {
  const int64_t size = (int64_t)c->element_bytes;
  for (int64_t j = 0; j < t->n; j += TILE) {
    const int64_t n = t->n - j < TILE ? t->n - j : TILE;
    const void *from = x + (i + j * t->x_stride) * size;
    void *to = y + (i * t->y_stride + j) * size;
    if (size == 1) {
      strided_1_tile(from, to, m, n, t->x_stride, t->y_stride);
    } else if (size == 4) {
      strided_4_tile(from, to, m, n, t->x_stride, t->y_stride);
    } else {
      strided_8_tile(from, to, m, n, t->x_stride, t->y_stride);
    }
  }
}

typedef struct strip_context {
  const row_context *row;
  const transposition *tile;
  int64_t strip;
} strip_context;

static void copy_strip(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n) {
  const strip_context *c = context;
  const int64_t size = (int64_t)c->row->element_bytes;
  (void)at;
  const int64_t begin = c->strip * STRIP, end = begin + STRIP < c->tile->m ? begin + STRIP : c->tile->m;
  for (int64_t r = 0; r < n; r++) {
    const char *x = c->row->x + (in[0] + r * walk->row_stride[0]) * size;
    char *y = c->row->y + (in[1] + r * walk->row_stride[1]) * size;
    for (int64_t i = begin; i < end; i += TILE) copy_tile(c->row, c->tile, x, y, i, end - i < TILE ? end - i : TILE);
  }
}

static void run_copy(const copy *c, const row_context *row, int64_t begin, int64_t end) {
  if (!c->transposed) {
    honed_nd_walk_run(&c->walk, begin, end, copy_row, row);
    return;
  }
  const int64_t walk_tasks = honed_nd_walk_tasks(&c->walk);
  for (int64_t task = begin; task < end; task++) {
    const strip_context strip = {row, &c->tile, task / walk_tasks};
    honed_nd_walk_run(&c->walk, task % walk_tasks, task % walk_tasks + 1, copy_strip, &strip);
  }
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const copy_plan *plan = call->plan;
  for (int i = 0; i < plan->count && begin < end; i++) {
    const copy *c = &plan->copies[i];
    const int64_t stop = end < c->tasks ? end : c->tasks;
    const row_context row = {(const char *)call->inputs[0]->data + c->start * plan->element_bytes, call->outputs[i]->data,
                             (size_t)plan->element_bytes};
    if (begin < stop) run_copy(c, &row, begin, stop);
    begin = begin > c->tasks ? begin - c->tasks : 0;
    end -= c->tasks;
  }
}

/* The dimension along which the input runs, where that is not the rows and both are long enough for tiles; else -1. */
static int transposed_dimension(const honed_nd_walk *w) {
  if (w->row_stride[0] == 1 || w->row_length < 4) return -1;
  for (int i = 0; i < w->rank; i++) {
    if (w->strides[0][i] == 1 && w->dims[i] >= 4) return i;
  }
  return -1;
}

static void transpose(copy *c, int dimension) {
  const honed_nd_walk flat = c->walk;
  int64_t y_strides[HONED_ND_WALK_RANK], dims[HONED_ND_WALK_RANK], x_outer[HONED_ND_WALK_RANK], y_outer[HONED_ND_WALK_RANK];
  int64_t stride = flat.row_length;
  for (int i = flat.rank - 1; i >= 0; i--) {
    y_strides[i] = stride;
    stride *= flat.dims[i];
  }
  int rank = 0;
  for (int i = 0; i < flat.rank; i++) {
    if (i == dimension) continue;
    dims[rank] = flat.dims[i];
    x_outer[rank] = flat.strides[0][i];
    y_outer[rank++] = y_strides[i];
  }
  c->transposed = true;
  c->tile = (transposition){flat.dims[dimension], flat.row_length, flat.row_stride[0], y_strides[dimension],
                            (flat.dims[dimension] + STRIP - 1) / STRIP};
  honed_nd_walk_init(&c->walk, rank, dims, 2, (const int64_t *const[]){x_outer, y_outer});
}

honed_status honed_nd_copy_add(honed_call *call, int index, int rank, const int64_t *dims, const int64_t *strides, int64_t start,
                               honed_context *ctx) {
  if (index == 0) {
    const size_t bytes = sizeof(copy_plan) + (size_t)call->num_outputs * sizeof(copy);
    const honed_status status = honed_call_alloc(call, bytes, &call->plan, ctx);
    if (status != HONED_OK) return status;
    *(copy_plan *)call->plan = (copy_plan){.element_bytes = (int64_t)honed_dtype_bytes(call->inputs[0]->dtype)};
    call->kernel = kernel;
    call->num_tasks = 0;
    call->scratch_bytes = 0;
  }
  copy_plan *plan = call->plan;
  copy *c = &plan->copies[plan->count++];
  *c = (copy){.start = start};
  honed_nd_walk_init(&c->walk, rank, dims, 1, &strides);
  const int dimension = c->walk.rows > 0 ? transposed_dimension(&c->walk) : -1;
  if (dimension >= 0) transpose(c, dimension);
  c->tasks = honed_nd_walk_tasks(&c->walk) * (c->transposed ? c->tile.strips : 1);
  call->num_tasks += c->tasks;
  return HONED_OK;
}
