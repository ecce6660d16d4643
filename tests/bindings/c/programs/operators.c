/* A registry of operators that show what the executor does: it takes the place of kernels/registry.c in the test programs. */
#include <string.h>

#include "base/operator.h"

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  (void)params;
  return honed_spec_arity(spec, 1, 2, 1, ctx);
}

static void destroy(void *params) { (void)params; }

static const char *kernel_name(const void *params) {
  (void)params;
  return "test";
}

static honed_status same_shape(honed_call *call, honed_kernel kernel, int64_t num_tasks, honed_context *ctx) {
  call->kernel = kernel;
  call->num_tasks = num_tasks;
  return honed_call_output(call, 0, call->inputs[0]->rank, call->inputs[0]->dims, ctx);
}

/* increment: y = x + 1 on dense f32, an element per task. An input whose first dimension is 13 is refused. */
static void increment(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const float *x = call->inputs[0]->data;
  float *y = call->outputs[0]->data;
  for (int64_t i = begin; i < end; i++) y[i] = x[i] + 1;
}

static honed_status increment_reshape(honed_call *call, honed_context *ctx) {
  if (call->inputs[0]->dims[0] == 13) return honed_fail(ctx, HONED_INVALID_SHAPE, "first dimension is 13");
  return same_shape(call, increment, honed_tensor_count(call->inputs[0]), ctx);
}

/* spread: f32 dense to planar, a plane per task. */
static void spread(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const int64_t height = x->dims[2], width = x->dims[3];
  for (int64_t plane = begin; plane < end; plane++) {
    float *out = (float *)y->data + plane * y->plane_stride;
    memset(out, 0, (size_t)y->plane_stride * sizeof *out);
    for (int64_t row = 0; row < height; row++) {
      memcpy(out + row * y->row_stride, (const float *)x->data + (plane * height + row) * width, (size_t)width * sizeof *out);
    }
  }
}

static honed_status spread_reshape(honed_call *call, honed_context *ctx) {
  return same_shape(call, spread, call->inputs[0]->dims[0] * call->inputs[0]->dims[1], ctx);
}

/* left_sum: f32 planar to dense, y(row, column) = x(row, column) + x(row, column - 1) + x(row - 1, column): of the first pixels this
 * reads the lead. Goes through scratch, which must be this thread's alone. */
static void left_sum(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const int64_t height = x->dims[2], width = x->dims[3];
  float *sums = scratch;
  for (int64_t plane = begin; plane < end; plane++) {
    const float *in = (const float *)x->data + plane * x->plane_stride;
    for (int64_t i = 0; i < height * width; i++) {
      const int64_t flat = i / width * x->row_stride + i % width;
      sums[i] = in[flat] + in[flat - 1] + in[flat - x->row_stride];
    }
    memcpy((float *)y->data + plane * height * width, sums, (size_t)(height * width) * sizeof *sums);
  }
}

static honed_status left_sum_reshape(honed_call *call, honed_context *ctx) {
  const int64_t *dims = call->inputs[0]->dims;
  call->scratch_bytes = (size_t)(dims[2] * dims[3]) * sizeof(float);
  return same_shape(call, left_sum, dims[0] * dims[1], ctx);
}

/* add: y = a + b on dense f32 of the same shape; through a copy of a that reshape made room for. */
static void add(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const float *a = call->inputs[0]->data, *b = call->inputs[1]->data;
  float *copy = call->plan, *y = call->outputs[0]->data;
  for (int64_t i = begin; i < end; i++) {
    copy[i] = a[i];
    y[i] = copy[i] + b[i];
  }
}

static honed_status add_reshape(honed_call *call, honed_context *ctx) {
  const int64_t count = honed_tensor_count(call->inputs[0]);
  if (call->inputs[1] == NULL || honed_tensor_count(call->inputs[1]) != count) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "inputs differ in size");
  }
  const honed_status status = honed_call_alloc(call, (size_t)count * sizeof(float), &call->plan, ctx);
  return status != HONED_OK ? status : same_shape(call, add, count, ctx);
}

/* flat: a view of rank 1. */
static honed_status flat_reshape(honed_call *call, honed_context *ctx) {
  const int64_t count = honed_tensor_count(call->inputs[0]);
  return honed_call_output(call, 0, 1, &count, ctx);
}

static const honed_op_type op_increment = {"increment", create, destroy, increment_reshape, kernel_name, 0};
static const honed_op_type op_spread = {"spread", create, destroy, spread_reshape, kernel_name, 0};
static const honed_op_type op_left_sum = {"left_sum", create, destroy, left_sum_reshape, kernel_name, 0};
static const honed_op_type op_add = {"add", create, destroy, add_reshape, kernel_name, 0};
static const honed_op_type op_flat = {"flat", create, destroy, flat_reshape, kernel_name, HONED_OP_VIEW};

static const honed_op_type *const types[] = {&op_increment, &op_spread, &op_left_sum, &op_add, &op_flat, NULL};

const honed_op_type *const *honed_op_types(void) { return types; }
