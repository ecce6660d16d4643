/* gather: slices of x along an axis, picked by indices that are a constant or an input. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "shape.h"

enum { TASK_BYTES = 65536 };

typedef struct gather_params {
  int64_t axis;
  const honed_tensor *indices; /* NULL: input 1 */
  honed_tensor constant;
} gather_params;

/* x is [outer][dim][slice_bytes], y is [outer][count][slice_bytes]. */
typedef struct gather_plan {
  int64_t outer, dim, count, slice_bytes, slices_per_task;
} gather_plan;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  gather_params p = {0};
  honed_status status = honed_nd_arity(spec, 1, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx);
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, 0, &p.axis, ctx);
  if (status != HONED_OK) return status;
  const bool constant = spec->num_inputs < 2 || spec->inputs[1] == NULL;
  if (constant && spec->num_consts != 1) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d constants, expected 1", spec->num_consts);
  const honed_dtype dtype = constant ? spec->consts[0].dtype : spec->inputs[1]->dtype;
  if (dtype != HONED_S64 && (constant || dtype != HONED_S32)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "indices are %s, expected s64", honed_dtype_name(dtype));
  }
  if (constant) p.constant = spec->consts[0];
  status = honed_params_copy(&p, sizeof p, out, ctx);
  if (status == HONED_OK && constant) ((gather_params *)*out)->indices = &((gather_params *)*out)->constant;
  return status;
}

static const honed_tensor *indices_of(const honed_call *call) {
  const gather_params *p = call->params;
  return p->indices != NULL ? p->indices : call->inputs[1];
}

/* What an input holds is not known before it runs: out of range becomes the nearest that is in range. */
static int64_t index_at(const honed_tensor *indices, int64_t i, int64_t dim) {
  int64_t index = indices->dtype == HONED_S64 ? ((const int64_t *)indices->data)[i] : ((const int32_t *)indices->data)[i];
  if (index < 0) index += dim;
  return index < 0 ? 0 : index >= dim ? dim - 1 : index;
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const gather_plan *plan = call->plan;
  const honed_tensor *indices = indices_of(call);
  const int64_t slices = plan->outer * plan->count, bytes = plan->slice_bytes;
  const int64_t stop = end * plan->slices_per_task < slices ? end * plan->slices_per_task : slices;
  for (int64_t slice = begin * plan->slices_per_task; slice < stop; slice++) {
    const int64_t from = slice / plan->count * plan->dim + index_at(indices, slice % plan->count, plan->dim);
    memcpy((char *)call->outputs[0]->data + slice * bytes, (const char *)call->inputs[0]->data + from * bytes, (size_t)bytes);
  }
}

static honed_status check_constant(const honed_tensor *indices, int64_t dim, honed_context *ctx) {
  const int64_t count = honed_tensor_count(indices);
  for (int64_t i = 0; i < count; i++) {
    const int64_t index = ((const int64_t *)indices->data)[i];
    if (index < -dim || index >= dim) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "index %lld of a dimension of %lld", (long long)index, (long long)dim);
    }
  }
  return HONED_OK;
}

static honed_status gathered_shape(honed_call *call, int axis, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0], *indices = indices_of(call);
  const int rank = x->rank - 1 + indices->rank;
  if (rank > HONED_MAX_RANK) return honed_fail(ctx, HONED_INVALID_SHAPE, "rank %d, expected at most %d", rank, HONED_MAX_RANK);
  int64_t dims[HONED_MAX_RANK];
  for (int i = 0; i < rank; i++) {
    dims[i] = i < axis ? x->dims[i] : i < axis + indices->rank ? indices->dims[i - axis] : x->dims[i - indices->rank + 1];
  }
  return honed_call_output(call, 0, rank, dims, ctx);
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const gather_params *p = call->params;
  const honed_tensor *x = call->inputs[0], *indices = indices_of(call);
  int axis = 0;
  honed_status status = honed_nd_axis(p->axis, x->rank, &axis, ctx);
  if (status == HONED_OK && p->indices != NULL) status = check_constant(p->indices, x->dims[axis], ctx);
  if (status == HONED_OK) status = gathered_shape(call, axis, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(gather_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  if (x->dims[axis] == 0 && honed_tensor_count(call->outputs[0]) > 0) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "nothing to gather from: dimension %d is 0", axis);
  }
  gather_plan *plan = call->plan;
  plan->outer = honed_nd_product(x->dims, 0, axis);
  plan->dim = x->dims[axis];
  plan->count = honed_tensor_count(indices);
  plan->slice_bytes = honed_nd_product(x->dims, axis + 1, x->rank) * (int64_t)honed_dtype_bytes(x->dtype);
  plan->slices_per_task = plan->slice_bytes > 0 && plan->slice_bytes < TASK_BYTES ? TASK_BYTES / plan->slice_bytes : 1;
  call->kernel = kernel;
  const bool empty = honed_tensor_count(call->outputs[0]) == 0;
  call->num_tasks = empty ? 0 : (plan->outer * plan->count + plan->slices_per_task - 1) / plan->slices_per_task;
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_gather"; }

const honed_op_type honed_op_gather = {"gather", create, free, reshape, kernel_name, 0};
