/* concat: tensors joined along one axis. Each input is one run of elements per combination of the dimensions before the axis. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "shape.h"

typedef struct concat_params {
  int64_t axis;
} concat_params;

typedef struct concat_plan {
  int64_t outer, row_bytes, rows_per_task;
  int64_t run_bytes[HONED_MAX_INPUTS];
} concat_plan;

enum { TASK_BYTES = 65536 };

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  concat_params p;
  honed_status status = honed_nd_arity(spec, spec->num_inputs > 0 ? spec->num_inputs : 1, HONED_MAX_INPUTS, 1, ctx);
  for (int i = 0; i < spec->num_inputs && status == HONED_OK; i++) {
    status = honed_check_dtype(spec->inputs[i], "an input", spec->outputs[0]->dtype, ctx);
  }
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, 0, &p.axis, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const concat_plan *plan = call->plan;
  const int64_t stop = end * plan->rows_per_task < plan->outer ? end * plan->rows_per_task : plan->outer;
  for (int64_t row = begin * plan->rows_per_task; row < stop; row++) {
    char *y = (char *)call->outputs[0]->data + row * plan->row_bytes;
    for (int i = 0; i < call->num_inputs; i++) {
      const int64_t bytes = plan->run_bytes[i];
      if (bytes > 0) memcpy(y, (const char *)call->inputs[i]->data + row * bytes, (size_t)bytes);
      y += bytes;
    }
  }
}

static honed_status joined_shape(const honed_call *call, int axis, int64_t *dims, honed_context *ctx) {
  const honed_tensor *first = call->inputs[0];
  memcpy(dims, first->dims, sizeof first->dims);
  for (int i = 1; i < call->num_inputs; i++) {
    const honed_tensor *t = call->inputs[i];
    bool fits = t->rank == first->rank;
    for (int d = 0; d < first->rank && fits; d++) fits = d == axis || t->dims[d] == first->dims[d];
    if (!fits) {
      char a[96], b[96];
      honed_tensor_describe(first, a, sizeof a);
      honed_tensor_describe(t, b, sizeof b);
      return honed_fail(ctx, HONED_INVALID_SHAPE, "inputs 0 and %d are %s and %s: expected equal dimensions except %d", i, a, b, axis);
    }
    if (__builtin_add_overflow(dims[axis], t->dims[axis], &dims[axis]))
      return honed_fail(ctx, HONED_INVALID_SHAPE, "the joined axis is too long");
  }
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_tensor *first = call->inputs[0];
  int axis = 0;
  int64_t dims[HONED_MAX_RANK];
  honed_status status = honed_nd_axis(((const concat_params *)call->params)->axis, first->rank, &axis, ctx);
  if (status == HONED_OK) status = joined_shape(call, axis, dims, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, first->rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(concat_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  concat_plan *plan = call->plan;
  const int64_t inner = honed_nd_product(dims, axis + 1, first->rank) * (int64_t)honed_dtype_bytes(first->dtype);
  for (int i = 0; i < call->num_inputs; i++) plan->run_bytes[i] = call->inputs[i]->dims[axis] * inner;
  plan->outer = honed_nd_product(dims, 0, axis);
  plan->row_bytes = dims[axis] * inner;
  plan->rows_per_task = plan->row_bytes > 0 && plan->row_bytes < TASK_BYTES ? TASK_BYTES / plan->row_bytes : 1;
  call->kernel = kernel;
  call->num_tasks = plan->row_bytes == 0 ? 0 : (plan->outer + plan->rows_per_task - 1) / plan->rows_per_task;
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_concat"; }

const honed_op_type honed_op_concat = {"concat", create, free, reshape, kernel_name, 0};
