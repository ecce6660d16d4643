/* Shapes of dense operators: axes, strides, broadcasting, and lists of integers among the constants. */
#ifndef HONED_ND_SHAPE_H
#define HONED_ND_SHAPE_H

#include "base/operator.h"

/* The number of inputs and outputs as honed_spec_arity says, all of them dense. */
honed_status honed_nd_arity(const honed_op_spec *spec, int min_inputs, int max_inputs, int num_outputs, honed_context *ctx);

/* The same with one input and one output of one dtype. */
honed_status honed_nd_one_to_one(const honed_op_spec *spec, honed_context *ctx);

/* Attribute `axis`, as it stands in the model: -HONED_MAX_RANK ... HONED_MAX_RANK. */
honed_status honed_nd_axis_attr(const honed_op_spec *spec, int64_t fallback, int64_t *out, honed_context *ctx);

/* The axis 0 ... rank - 1 that `axis` means where it counts from the end if negative. HONED_INVALID_SHAPE where there is none. */
honed_status honed_nd_axis(int64_t axis, int rank, int *out, honed_context *ctx);

/* A list of integers from a constant of rank 1 (or 0). It outlives the operator. */
typedef struct honed_nd_list {
  const int64_t *values;
  int count;
} honed_nd_list;

/* Constant `index`: s64, at most `max_count` values. A constant that is absent is an empty list with `values` NULL. */
honed_status honed_nd_list_get(const honed_op_spec *spec, int index, int max_count, honed_nd_list *out, honed_context *ctx);

/* For each axis of a tensor of `rank` whether the list names it. HONED_INVALID_SHAPE where an axis is out of range or named twice. */
honed_status honed_nd_axes_mask(const honed_nd_list *axes, int rank, bool *mask, honed_context *ctx);

/* Row-major strides in elements. */
void honed_nd_strides(int rank, const int64_t *dims, int64_t *strides);

/* NumPy's broadcasting of `count` tensors: the result's shape. */
honed_status honed_nd_broadcast(int count, const honed_tensor *const *tensors, int *rank, int64_t *dims, honed_context *ctx);

/* Strides of a dense tensor as seen from a shape that it broadcasts to: 0 where it repeats. */
void honed_nd_broadcast_strides(const honed_tensor *t, int rank, const int64_t *dims, int64_t *strides);

/* Product of dims[begin] ... dims[end - 1]. */
int64_t honed_nd_product(const int64_t *dims, int begin, int end);

#endif
