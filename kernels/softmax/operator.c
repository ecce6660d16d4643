#include <stdlib.h>

#include "base/check.h"
#include "nd/shape.h"
#include "softmax.h"

enum { TASK_ELEMENTS = 4096 };

static const struct {
  honed_isa isa;
  const honed_softmax_kernel *kernel;
} variants[] = {
#define HONED_SOFTMAX_VARIANT(isa, variant) {isa, &honed_softmax_kernel__##variant},
#include "kernels.inc"
#undef HONED_SOFTMAX_VARIANT
};

typedef struct softmax_params {
  const honed_softmax_kernel *kernel;
  int64_t axis;
  bool log;
} softmax_params;

/* The tensor as [outer, length, inner]. A task is some rows where inner is 1, else some columns of one outer index. */
typedef struct softmax_plan {
  int64_t outer, length, inner, rows_per_task, column_tasks;
} softmax_plan;

static honed_status create(const honed_op_spec *spec, bool log, void **out, honed_context *ctx) {
  softmax_params p = {.log = log};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, -1, &p.axis, ctx);
  if (status != HONED_OK) return status;
  int v = 0;
  while ((variants[v].isa & ~spec->isa) != 0) v++;
  p.kernel = variants[v].kernel;
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static honed_status create_softmax(const honed_op_spec *spec, void **out, honed_context *ctx) { return create(spec, false, out, ctx); }
static honed_status create_log_softmax(const honed_op_spec *spec, void **out, honed_context *ctx) { return create(spec, true, out, ctx); }

static void rows_kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const softmax_params *p = call->params;
  const softmax_plan *plan = call->plan;
  const int64_t stop = end * plan->rows_per_task < plan->outer ? end * plan->rows_per_task : plan->outer;
  for (int64_t row = begin * plan->rows_per_task; row < stop; row++) {
    const int64_t at = row * plan->length;
    p->kernel->row((const float *)call->inputs[0]->data + at, (float *)call->outputs[0]->data + at, plan->length, p->log);
  }
}

static void columns_kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const softmax_params *p = call->params;
  const softmax_plan *plan = call->plan;
  for (int64_t task = begin; task < end; task++) {
    const int64_t column = task % plan->column_tasks * HONED_SOFTMAX_COLUMNS, left = plan->inner - column;
    const int64_t at = task / plan->column_tasks * plan->length * plan->inner + column;
    p->kernel->columns((const float *)call->inputs[0]->data + at, (float *)call->outputs[0]->data + at, plan->length, plan->inner,
                       left < HONED_SOFTMAX_COLUMNS ? left : HONED_SOFTMAX_COLUMNS, p->log);
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  int axis = 0;
  honed_status status = honed_nd_axis(((const softmax_params *)call->params)->axis, x->rank, &axis, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, x->rank, x->dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(softmax_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  softmax_plan *plan = call->plan;
  plan->outer = honed_nd_product(x->dims, 0, axis);
  plan->length = x->dims[axis];
  plan->inner = honed_nd_product(x->dims, axis + 1, x->rank);
  plan->rows_per_task = plan->length > 0 && plan->length < TASK_ELEMENTS ? TASK_ELEMENTS / plan->length : 1;
  plan->column_tasks = (plan->inner + HONED_SOFTMAX_COLUMNS - 1) / HONED_SOFTMAX_COLUMNS;
  call->kernel = plan->inner == 1 ? rows_kernel : columns_kernel;
  call->num_tasks = plan->inner == 1 ? (plan->outer + plan->rows_per_task - 1) / plan->rows_per_task : plan->outer * plan->column_tasks;
  if (plan->length == 0) call->num_tasks = 0;
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const softmax_params *)params)->kernel->name; }

const honed_op_type honed_op_softmax = {"softmax", create_softmax, free, reshape, kernel_name, 0};
const honed_op_type honed_op_log_softmax = {"log_softmax", create_log_softmax, free, reshape, kernel_name, 0};
