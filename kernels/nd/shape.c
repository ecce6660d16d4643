#include "shape.h"

#include "base/check.h"

honed_status honed_nd_arity(const honed_op_spec *spec, int min_inputs, int max_inputs, int num_outputs, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, min_inputs, max_inputs, num_outputs, ctx);
  for (int i = 0; i < spec->num_inputs && status == HONED_OK; i++) {
    if (spec->inputs[i] != NULL) status = honed_check_layout(spec->inputs[i], "an input", HONED_DENSE, ctx);
  }
  for (int i = 0; i < num_outputs && status == HONED_OK; i++) status = honed_check_layout(spec->outputs[i], "an output", HONED_DENSE, ctx);
  return status;
}

honed_status honed_nd_one_to_one(const honed_op_spec *spec, honed_context *ctx) {
  const honed_status status = honed_nd_arity(spec, 1, 1, 1, ctx);
  return status == HONED_OK ? honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx) : status;
}

honed_status honed_nd_axis_attr(const honed_op_spec *spec, int64_t fallback, int64_t *out, honed_context *ctx) {
  return honed_attr_int(spec, "axis", fallback, -HONED_MAX_RANK, HONED_MAX_RANK, out, ctx);
}

honed_status honed_nd_axis(int64_t axis, int rank, int *out, honed_context *ctx) {
  if (axis < -rank || axis >= rank) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "axis %lld of a tensor of rank %d", (long long)axis, rank);
  }
  *out = (int)(axis < 0 ? axis + rank : axis);
  return HONED_OK;
}

honed_status honed_nd_list_get(const honed_op_spec *spec, int index, int max_count, honed_nd_list *out, honed_context *ctx) {
  *out = (honed_nd_list){NULL, 0};
  if (index >= spec->num_consts) return HONED_OK;
  const honed_tensor *t = &spec->consts[index];
  const int64_t count = honed_tensor_count(t);
  if (t->dtype != HONED_S64 || t->rank > 1 || count > max_count) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "constant %d has %lld elements of %s, expected a list of at most %d of s64", index,
                      (long long)count, honed_dtype_name(t->dtype), max_count);
  }
  *out = (honed_nd_list){t->data, (int)count};
  return HONED_OK;
}

honed_status honed_nd_axes_mask(const honed_nd_list *axes, int rank, bool *mask, honed_context *ctx) {
  for (int i = 0; i < rank; i++) mask[i] = false;
  for (int i = 0; i < axes->count; i++) {
    int axis = 0;
    const honed_status status = honed_nd_axis(axes->values[i], rank, &axis, ctx);
    if (status != HONED_OK) return status;
    if (mask[axis]) return honed_fail(ctx, HONED_INVALID_SHAPE, "axis %d is named twice", axis);
    mask[axis] = true;
  }
  return HONED_OK;
}

void honed_nd_strides(int rank, const int64_t *dims, int64_t *strides) {
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= dims[i];
  }
}

honed_status honed_nd_broadcast(int count, const honed_tensor *const *tensors, int *rank, int64_t *dims, honed_context *ctx) {
  *rank = 0;
  for (int t = 0; t < count; t++) *rank = tensors[t]->rank > *rank ? tensors[t]->rank : *rank;
  for (int i = 0; i < *rank; i++) {
    dims[i] = 1;
    for (int t = 0; t < count; t++) {
      const int own = i - (*rank - tensors[t]->rank);
      const int64_t dim = own < 0 ? 1 : tensors[t]->dims[own];
      if (dim == 1 || dim == dims[i]) continue;
      if (dims[i] != 1) {
        return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is %lld in one input and %lld in another: they do not broadcast", i,
                          (long long)dims[i], (long long)dim);
      }
      dims[i] = dim;
    }
  }
  return HONED_OK;
}

void honed_nd_broadcast_strides(const honed_tensor *t, int rank, const int64_t *dims, int64_t *strides) {
  int64_t own[HONED_MAX_RANK];
  honed_nd_strides(t->rank, t->dims, own);
  for (int i = 0; i < rank; i++) {
    const int axis = i - (rank - t->rank);
    strides[i] = axis < 0 || (t->dims[axis] == 1 && dims[i] != 1) ? 0 : own[axis];
  }
}

int64_t honed_nd_product(const int64_t *dims, int begin, int end) {
  int64_t product = 1;
  for (int i = begin; i < end; i++) product *= dims[i];
  return product;
}
