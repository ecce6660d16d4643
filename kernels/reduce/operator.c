#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "nd/shape.h"
#include "nd/walk.h"
#include "reduce.h"

typedef struct reduce_params {
  honed_reduce_op op;
  int64_t keep_dims;
  honed_nd_list axes; /* empty: all */
  const honed_reduce_functions *functions;
  int64_t bytes;
} reduce_params;

/* Around each output element's place in the input lie the elements that it is made of. */
typedef struct reduce_plan {
  honed_nd_walk kept, reduced; /* of the input's dimensions */
  int64_t count;               /* elements behind each output */
} reduce_plan;

/* NULL where the type has no such reduction. */
static const honed_reduce_functions *functions_of(honed_dtype dtype, honed_reduce_op op) {
  const bool arithmetic = op <= HONED_REDUCE_PROD, extreme = op == HONED_REDUCE_MAX || op == HONED_REDUCE_MIN;
  switch (dtype) {
    case HONED_F32: return &honed_reduce_f32;
    case HONED_F64: return &honed_reduce_f64;
    case HONED_S64: return arithmetic ? &honed_reduce_s64 : NULL;
    case HONED_S32: return arithmetic ? &honed_reduce_s32 : NULL;
    case HONED_S8: return extreme ? &honed_reduce_s8 : NULL;
    case HONED_U8: return extreme ? &honed_reduce_u8 : NULL;
    case HONED_BOOL: return extreme ? &honed_reduce_bool : NULL;
    default: return NULL;
  }
}

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  reduce_params p = {0};
  int64_t op = 0;
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "op", 0, 0, HONED_REDUCE_OPS - 1, &op, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "keepdims", 1, 0, 1, &p.keep_dims, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, HONED_MAX_RANK, &p.axes, ctx);
  if (status != HONED_OK) return status;
  p.op = (honed_reduce_op)op;
  const honed_dtype dtype = spec->inputs[0]->dtype;
  p.functions = functions_of(dtype, p.op);
  if (p.functions == NULL) return honed_fail(ctx, HONED_UNSUPPORTED, "reduction %d of %s", (int)op, honed_dtype_name(dtype));
  p.bytes = (int64_t)honed_dtype_bytes(dtype);
  return honed_params_copy(&p, sizeof p, out, ctx);
}

/* Up to HONED_REDUCE_COLUMNS outputs, whose first elements are `stride` apart. */
typedef struct columns {
  const reduce_params *params;
  honed_reduce_op op;
  const char *x;
  int64_t n, stride;
  double shifts[HONED_REDUCE_COLUMNS];
  honed_reduce_sum sums[HONED_REDUCE_COLUMNS];
} columns;

static void add_row(const void *context, const honed_nd_walk *reduced, const int64_t *in, int64_t at, int64_t n) {
  (void)at;
  columns *c = (columns *)context;
  const reduce_params *p = c->params;
  const int64_t step = reduced->row_stride[0];
  if (step == 1 && c->stride != 1) {
    for (int64_t i = 0; i < c->n; i++) p->functions->run(c->op, c->x + (in[0] + i * c->stride) * p->bytes, n, c->shifts[i], &c->sums[i]);
  } else {
    for (int64_t j = 0; j < n; j++) p->functions->columns(c->op, c->x + (in[0] + j * step) * p->bytes, c->n, c->stride, c->shifts, c->sums);
  }
}

static void accumulate(const honed_nd_walk *reduced, columns *c, honed_reduce_op op) {
  c->op = op;
  for (int64_t i = 0; i < c->n; i++) c->sums[i] = c->params->functions->start(op);
  honed_nd_walk_run(reduced, 0, honed_nd_walk_tasks(reduced), add_row, c);
}

typedef struct reduction {
  const reduce_params *params;
  const reduce_plan *plan;
  const char *x;
  char *y;
} reduction;

static void reduce_row(const void *context, const honed_nd_walk *kept, const int64_t *in, int64_t at, int64_t n) {
  const reduction *r = context;
  const reduce_params *p = r->params;
  for (int64_t i = 0; i < n; i += HONED_REDUCE_COLUMNS) {
    columns c = {.params = p, .stride = kept->row_stride[0], .n = n - i < HONED_REDUCE_COLUMNS ? n - i : HONED_REDUCE_COLUMNS};
    c.x = r->x + (in[0] + i * c.stride) * p->bytes;
    if (p->op == HONED_REDUCE_LOG_SUM_EXP) {
      accumulate(&r->plan->reduced, &c, HONED_REDUCE_MAX);
      for (int64_t k = 0; k < c.n; k++) c.shifts[k] = isinf(c.sums[k].d) ? 0 : c.sums[k].d;
    }
    accumulate(&r->plan->reduced, &c, p->op);
    for (int64_t k = 0; k < c.n; k++) p->functions->store(p->op, c.sums[k], r->plan->count, c.shifts[k], r->y + (at + i + k) * p->bytes);
  }
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const reduction r = {call->params, call->plan, call->inputs[0]->data, call->outputs[0]->data};
  honed_nd_walk_run(&r.plan->kept, begin, end, reduce_row, &r);
}

/* A task is as many outputs as have some thousand elements behind them. */
static void size_tasks(reduce_plan *plan) {
  honed_nd_walk *kept = &plan->kept;
  const int64_t outputs = plan->count > 0 && plan->count < 16384 ? 16384 / plan->count : 1;
  kept->rows_per_task = kept->row_length > 0 && kept->row_length < outputs ? outputs / kept->row_length : 1;
  kept->piece_length = outputs < HONED_REDUCE_COLUMNS ? HONED_REDUCE_COLUMNS : outputs;
  if (kept->piece_length > kept->row_length) kept->piece_length = kept->row_length;
  kept->pieces = kept->row_length > 0 ? (kept->row_length + kept->piece_length - 1) / kept->piece_length : 1;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const reduce_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  bool reduces[HONED_MAX_RANK];
  honed_status status = honed_nd_axes_mask(&p->axes, x->rank, reduces, ctx);
  if (status != HONED_OK) return status;
  int64_t strides[HONED_MAX_RANK], dims[2][HONED_MAX_RANK], steps[2][HONED_MAX_RANK], out[HONED_MAX_RANK];
  int ranks[2] = {0, 0}, out_rank = 0;
  honed_nd_strides(x->rank, x->dims, strides);
  for (int i = 0; i < x->rank; i++) {
    const int side = p->axes.count == 0 || reduces[i];
    dims[side][ranks[side]] = x->dims[i];
    steps[side][ranks[side]++] = strides[i];
    if (side == 0 || p->keep_dims) out[out_rank++] = side == 0 ? x->dims[i] : 1;
  }
  status = honed_call_output(call, 0, out_rank, out, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(reduce_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  reduce_plan *plan = call->plan;
  honed_nd_walk_init(&plan->kept, ranks[0], dims[0], 1, (const int64_t *const[]){steps[0]});
  honed_nd_walk_init(&plan->reduced, ranks[1], dims[1], 1, (const int64_t *const[]){steps[1]});
  plan->count = honed_nd_product(dims[1], 0, ranks[1]);
  size_tasks(plan);
  call->kernel = kernel;
  call->num_tasks = honed_nd_walk_tasks(&plan->kept);
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_reduce"; }

const honed_op_type honed_op_reduce = {"reduce", create, free, reshape, kernel_name, 0};
