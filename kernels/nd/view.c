/* Operators whose output is the input's memory with another shape: reshape, flatten, squeeze, unsqueeze. */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "shape.h"

typedef struct view_params {
  const char *name;
  int64_t rank, dims[HONED_MAX_RANK]; /* reshape: 0 copied, -1 inferred */
  int64_t allow_zero, axis;
  honed_nd_list axes;
} view_params;

static void nothing(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)call, (void)scratch, (void)begin, (void)end;
}

static honed_status output(honed_call *call, int rank, const int64_t *dims, honed_context *ctx) {
  call->kernel = nothing;
  call->num_tasks = 0;
  call->scratch_bytes = 0;
  return honed_call_output(call, 0, rank, dims, ctx);
}

static const char *kernel_name(const void *params) { return ((const view_params *)params)->name; }

static honed_status create_reshape(const honed_op_spec *spec, void **out, honed_context *ctx) {
  view_params p = {.name = "honed_reshape"};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "rank", 0, 0, HONED_MAX_RANK, &p.rank, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "allowzero", 0, 0, 1, &p.allow_zero, ctx);
  int inferred = 0;
  for (int i = 0; i < p.rank && status == HONED_OK; i++) {
    char name[8];
    snprintf(name, sizeof name, "dim%d", i);
    status = honed_attr_int(spec, name, 0, -1, INT32_MAX, &p.dims[i], ctx);
    inferred += p.dims[i] == -1;
  }
  if (status == HONED_OK && inferred > 1) status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d dimensions to infer, expected 1", inferred);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

/* Replaces 0, where it means a copy, and -1. */
static honed_status resolve(const view_params *p, const honed_tensor *x, int64_t *dims, honed_context *ctx) {
  int64_t known = 1;
  int inferred = -1;
  bool fits = true;
  for (int i = 0; i < p->rank; i++) {
    dims[i] = p->dims[i];
    if (dims[i] == -1) {
      inferred = i;
      continue;
    }
    if (dims[i] == 0 && !p->allow_zero) {
      if (i >= x->rank) return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is to be copied from a tensor of rank %d", i, x->rank);
      dims[i] = x->dims[i];
    }
    fits = fits && !__builtin_mul_overflow(known, dims[i], &known);
  }
  const int64_t count = honed_tensor_count(x);
  if (fits && inferred >= 0 && known > 0) {
    dims[inferred] = count / known;
    known *= dims[inferred];
  }
  if (fits && known == count && !(inferred >= 0 && known == 0 && dims[inferred] == -1)) return HONED_OK;
  char text[128];
  honed_tensor_describe(x, text, sizeof text);
  return honed_fail(ctx, HONED_INVALID_SHAPE, "%s has %lld elements, which do not fit the new shape (%lld in its known dimensions)", text,
                    (long long)count, (long long)known);
}

static honed_status reshape_reshape(honed_call *call, honed_context *ctx) {
  const view_params *p = call->params;
  int64_t dims[HONED_MAX_RANK];
  const honed_status status = resolve(p, call->inputs[0], dims, ctx);
  return status == HONED_OK ? output(call, (int)p->rank, dims, ctx) : status;
}

static honed_status create_flatten(const honed_op_spec *spec, void **out, honed_context *ctx) {
  view_params p = {.name = "honed_flatten"};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, 1, &p.axis, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static honed_status reshape_flatten(honed_call *call, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  int64_t axis = ((const view_params *)call->params)->axis;
  if (axis < -x->rank || axis > x->rank) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "axis %lld of a tensor of rank %d", (long long)axis, x->rank);
  }
  if (axis < 0) axis += x->rank;
  const int64_t dims[2] = {honed_nd_product(x->dims, 0, (int)axis), honed_nd_product(x->dims, (int)axis, x->rank)};
  return output(call, 2, dims, ctx);
}

static honed_status create_axes(const honed_op_spec *spec, const char *name, void **out, honed_context *ctx) {
  view_params p = {.name = name};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, HONED_MAX_RANK, &p.axes, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static honed_status create_squeeze(const honed_op_spec *spec, void **out, honed_context *ctx) {
  return create_axes(spec, "honed_squeeze", out, ctx);
}

static honed_status reshape_squeeze(honed_call *call, honed_context *ctx) {
  const view_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  bool named[HONED_MAX_RANK];
  const honed_status status = honed_nd_axes_mask(&p->axes, x->rank, named, ctx);
  if (status != HONED_OK) return status;
  int64_t dims[HONED_MAX_RANK];
  int rank = 0;
  for (int i = 0; i < x->rank; i++) {
    if (named[i] && x->dims[i] != 1) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is %lld, expected 1", i, (long long)x->dims[i]);
    }
    const bool goes = p->axes.values == NULL ? x->dims[i] == 1 : named[i];
    if (!goes) dims[rank++] = x->dims[i];
  }
  return output(call, rank, dims, ctx);
}

static honed_status create_unsqueeze(const honed_op_spec *spec, void **out, honed_context *ctx) {
  return create_axes(spec, "honed_unsqueeze", out, ctx);
}

static honed_status reshape_unsqueeze(honed_call *call, honed_context *ctx) {
  const view_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  const int rank = x->rank + p->axes.count;
  if (rank > HONED_MAX_RANK) return honed_fail(ctx, HONED_INVALID_SHAPE, "rank %d, expected at most %d", rank, HONED_MAX_RANK);
  bool added[HONED_MAX_RANK];
  const honed_status status = honed_nd_axes_mask(&p->axes, rank, added, ctx);
  if (status != HONED_OK) return status;
  int64_t dims[HONED_MAX_RANK];
  for (int i = 0, from = 0; i < rank; i++) dims[i] = added[i] ? 1 : x->dims[from++];
  return output(call, rank, dims, ctx);
}

const honed_op_type honed_op_reshape = {"reshape", create_reshape, free, reshape_reshape, kernel_name, HONED_OP_VIEW};
const honed_op_type honed_op_flatten = {"flatten", create_flatten, free, reshape_flatten, kernel_name, HONED_OP_VIEW};
const honed_op_type honed_op_squeeze = {"squeeze", create_squeeze, free, reshape_squeeze, kernel_name, HONED_OP_VIEW};
const honed_op_type honed_op_unsqueeze = {"unsqueeze", create_unsqueeze, free, reshape_unsqueeze, kernel_name, HONED_OP_VIEW};
