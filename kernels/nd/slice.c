/* slice and split: boxes cut out of a tensor. */
#include <stdlib.h>

#include "base/check.h"
#include "copy.h"
#include "shape.h"

typedef struct slice_params {
  honed_nd_list starts, ends, axes, steps; /* of the same length */
} slice_params;

static honed_status create_slice(const honed_op_spec *spec, void **out, honed_context *ctx) {
  slice_params p;
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, HONED_MAX_RANK, &p.starts, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 1, HONED_MAX_RANK, &p.ends, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 2, HONED_MAX_RANK, &p.axes, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 3, HONED_MAX_RANK, &p.steps, ctx);
  if (status != HONED_OK) return status;
  const int count = p.starts.count;
  if (p.ends.count != count || p.axes.count != count || p.steps.count != count) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d starts, %d ends, %d axes and %d steps, expected equally many", count, p.ends.count,
                      p.axes.count, p.steps.count);
  }
  for (int i = 0; i < count; i++) {
    if (p.steps.values[i] == 0 || p.steps.values[i] == INT64_MIN) {
      return honed_fail(ctx, HONED_INVALID_ARTIFACT, "step %lld", (long long)p.steps.values[i]);
    }
  }
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static int64_t clamp(int64_t value, int64_t lo, int64_t hi) { return value < lo ? lo : value > hi ? hi : value; }

/* The elements start, start + step, ... before `end` of `dim`, as ONNX counts: the first, and how many. */
static int64_t range(int64_t dim, int64_t start, int64_t end, int64_t step, int64_t *first) {
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    *first = clamp(start, 0, dim);
    end = clamp(end, 0, dim);
    return end > *first ? (end - *first - 1) / step + 1 : 0;
  }
  *first = clamp(start, 0, dim - 1);
  end = clamp(end, -1, dim - 1);
  return dim > 0 && *first > end ? (*first - end - 1) / -step + 1 : 0;
}

static honed_status reshape_slice(honed_call *call, honed_context *ctx) {
  const slice_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  bool named[HONED_MAX_RANK];
  honed_status status = honed_nd_axes_mask(&p->axes, x->rank, named, ctx);
  if (status != HONED_OK) return status;
  int64_t dims[HONED_MAX_RANK], strides[HONED_MAX_RANK], offset = 0;
  honed_nd_strides(x->rank, x->dims, strides);
  for (int i = 0; i < x->rank; i++) dims[i] = x->dims[i];
  for (int i = 0; i < p->axes.count; i++) {
    const int axis = (int)(p->axes.values[i] < 0 ? p->axes.values[i] + x->rank : p->axes.values[i]);
    int64_t first = 0;
    dims[axis] = range(x->dims[axis], p->starts.values[i], p->ends.values[i], p->steps.values[i], &first);
    if (dims[axis] > 0) offset += first * strides[axis];
    if (dims[axis] > 1) strides[axis] *= p->steps.values[i];
  }
  status = honed_call_output(call, 0, x->rank, dims, ctx);
  return status == HONED_OK ? honed_nd_copy_add(call, 0, x->rank, dims, strides, offset, ctx) : status;
}

static const char *slice_name(const void *params) { return (void)params, "honed_slice"; }

typedef struct split_params {
  int64_t axis;
  honed_nd_list sizes; /* or, with `values` NULL, equal parts */
} split_params;

static honed_status create_split(const honed_op_spec *spec, void **out, honed_context *ctx) {
  split_params p;
  honed_status status = HONED_OK;
  if (spec->num_outputs < 1) status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "no outputs");
  if (status == HONED_OK) status = honed_nd_arity(spec, 1, 1, spec->num_outputs, ctx);
  for (int i = 0; i < spec->num_outputs && status == HONED_OK; i++) {
    status = honed_check_dtype(spec->outputs[i], "an output", spec->inputs[0]->dtype, ctx);
  }
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, 0, &p.axis, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, HONED_MAX_OUTPUTS, &p.sizes, ctx);
  if (status != HONED_OK) return status;
  if (p.sizes.values != NULL && p.sizes.count != spec->num_outputs) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d sizes for %d outputs", p.sizes.count, spec->num_outputs);
  }
  return honed_params_copy(&p, sizeof p, out, ctx);
}

/* Elements of the parts along the axis, of which there are `dim`. */
static honed_status part_sizes(const split_params *p, int64_t dim, int count, int64_t *sizes, honed_context *ctx) {
  const int64_t part = (dim + count - 1) / count;
  int64_t sum = 0;
  for (int i = 0; i < count; i++) {
    sizes[i] = p->sizes.values != NULL ? p->sizes.values[i] : clamp(dim - sum, 0, part);
    if (sizes[i] < 0 || sizes[i] > dim - sum) break;
    sum += sizes[i];
  }
  if (sum == dim) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_SHAPE, "the sizes of the parts do not add up to %lld", (long long)dim);
}

static honed_status reshape_split(honed_call *call, honed_context *ctx) {
  const split_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  int axis = 0;
  int64_t sizes[HONED_MAX_OUTPUTS] = {0}, dims[HONED_MAX_RANK], strides[HONED_MAX_RANK], start = 0;
  honed_status status = honed_nd_axis(p->axis, x->rank, &axis, ctx);
  if (status == HONED_OK) status = part_sizes(p, x->dims[axis], call->num_outputs, sizes, ctx);
  honed_nd_strides(x->rank, x->dims, strides);
  for (int i = 0; i < x->rank; i++) dims[i] = x->dims[i];
  for (int i = 0; i < call->num_outputs && status == HONED_OK; i++) {
    dims[axis] = sizes[i];
    status = honed_call_output(call, i, x->rank, dims, ctx);
    if (status == HONED_OK) status = honed_nd_copy_add(call, i, x->rank, dims, strides, start * strides[axis], ctx);
    start += sizes[i];
  }
  return status;
}

static const char *split_name(const void *params) { return (void)params, "honed_split"; }

const honed_op_type honed_op_slice = {"slice", create_slice, free, reshape_slice, slice_name, 0};
const honed_op_type honed_op_split = {"split", create_split, free, reshape_split, split_name, 0};
