/* expand and tile: a tensor repeated. */
#include <stdlib.h>

#include "base/check.h"
#include "copy.h"
#include "shape.h"

typedef struct repeat_params {
  const char *name;
  honed_nd_list list; /* the shape, or the repeats */
} repeat_params;

static honed_status create(const honed_op_spec *spec, const char *name, void **out, honed_context *ctx) {
  repeat_params p = {.name = name};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, HONED_MAX_RANK, &p.list, ctx);
  for (int i = 0; i < p.list.count && status == HONED_OK; i++) {
    if (p.list.values[i] < 0) status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "%lld, expected at least 0", (long long)p.list.values[i]);
  }
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static honed_status create_expand(const honed_op_spec *spec, void **out, honed_context *ctx) {
  return create(spec, "honed_expand", out, ctx);
}

static honed_status reshape_expand(honed_call *call, honed_context *ctx) {
  const honed_nd_list *shape = &((const repeat_params *)call->params)->list;
  honed_tensor target = {.rank = shape->count};
  for (int i = 0; i < shape->count; i++) target.dims[i] = shape->values[i];
  int rank = 0;
  int64_t dims[HONED_MAX_RANK], strides[HONED_MAX_RANK];
  honed_status status = honed_nd_broadcast(2, (const honed_tensor *const[]){call->inputs[0], &target}, &rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, rank, dims, ctx);
  if (status != HONED_OK) return status;
  honed_nd_broadcast_strides(call->inputs[0], rank, dims, strides);
  return honed_nd_copy_add(call, 0, rank, dims, strides, 0, ctx);
}

static honed_status create_tile(const honed_op_spec *spec, void **out, honed_context *ctx) { return create(spec, "honed_tile", out, ctx); }

static honed_status reshape_tile(honed_call *call, honed_context *ctx) {
  const honed_nd_list *repeats = &((const repeat_params *)call->params)->list;
  const honed_tensor *x = call->inputs[0];
  if (repeats->count != x->rank) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%d repeats for a tensor of rank %d", repeats->count, x->rank);
  }
  /* Each dimension becomes two: the repetitions, which stay in place, and the elements. */
  int64_t out[HONED_MAX_RANK], own[HONED_MAX_RANK], dims[2 * HONED_MAX_RANK], strides[2 * HONED_MAX_RANK];
  honed_nd_strides(x->rank, x->dims, own);
  for (int i = 0; i < x->rank; i++) {
    if (__builtin_mul_overflow(repeats->values[i], x->dims[i], &out[i])) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld repeats of dimension %d are too many", (long long)repeats->values[i], i);
    }
    dims[2 * i] = repeats->values[i];
    dims[2 * i + 1] = x->dims[i];
    strides[2 * i] = 0;
    strides[2 * i + 1] = own[i];
  }
  const honed_status status = honed_call_output(call, 0, x->rank, out, ctx);
  return status == HONED_OK ? honed_nd_copy_add(call, 0, 2 * x->rank, dims, strides, 0, ctx) : status;
}

static const char *kernel_name(const void *params) { return ((const repeat_params *)params)->name; }

const honed_op_type honed_op_expand = {"expand", create_expand, free, reshape_expand, kernel_name, 0};
const honed_op_type honed_op_tile = {"tile", create_tile, free, reshape_tile, kernel_name, 0};
