#include <stdlib.h>

#include "base/check.h"
#include "nd/shape.h"
#include "normalize.h"

enum { TASK_ELEMENTS = 4096 };

typedef struct layer_norm_params {
  int64_t axis, length; /* elements that are normalised together */
  float epsilon;
  const float *scale, *bias; /* bias may be NULL */
} layer_norm_params;

/* One input, and one output or three. */
static honed_status check_tensors(const honed_op_spec *spec, honed_context *ctx) {
  honed_status status = honed_nd_arity(spec, 1, 1, spec->num_outputs == 3 ? 3 : 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  for (int i = 0; i < spec->num_outputs && status == HONED_OK; i++) {
    status = honed_check_dtype(spec->outputs[i], "an output", HONED_F32, ctx);
  }
  return status;
}

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  layer_norm_params p = {0};
  honed_status status = check_tensors(spec, ctx);
  if (status == HONED_OK) status = honed_normalize_epsilon(spec, &p.epsilon, ctx);
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, -1, &p.axis, ctx);
  if (status == HONED_OK) status = honed_normalize_const(spec, 0, &p.scale, &p.length, ctx);
  if (status == HONED_OK && spec->num_consts > 1) status = honed_const_get(spec, 1, HONED_F32, p.length, (const void **)&p.bias, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static int64_t rows_per_task(int64_t length) { return length < TASK_ELEMENTS ? TASK_ELEMENTS / length : 1; }

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const layer_norm_params *p = call->params;
  const int64_t n = p->length, rows = honed_tensor_count(call->inputs[0]) / n, group = rows_per_task(n);
  const int64_t stop = end * group < rows ? end * group : rows;
  for (int64_t row = begin * group; row < stop; row++) {
    const float *x = (const float *)call->inputs[0]->data + row * n;
    float *y = (float *)call->outputs[0]->data + row * n;
    const honed_statistics s = honed_statistics_of(x, n, (double)p->epsilon);
    if (call->num_outputs > 1) {
      ((float *)call->outputs[1]->data)[row] = (float)s.mean;
      ((float *)call->outputs[2]->data)[row] = (float)s.inverse_deviation;
    }
    for (int64_t i = 0; i < n; i++) {
      const double bias = p->bias == NULL ? 0 : (double)p->bias[i];
      y[i] = (float)(((double)x[i] - s.mean) * s.inverse_deviation * (double)p->scale[i] + bias);
    }
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const layer_norm_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  int axis = 0;
  honed_status status = honed_nd_axis(p->axis, x->rank, &axis, ctx);
  if (status != HONED_OK) return status;
  const int64_t length = honed_nd_product(x->dims, axis, x->rank);
  if (length != p->length) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld elements from axis %d on, expected %lld as the scale has", (long long)length, axis,
                      (long long)p->length);
  }
  const int64_t rows = honed_nd_product(x->dims, 0, axis);
  if (length == 0 && call->num_outputs > 1) return honed_fail(ctx, HONED_INVALID_SHAPE, "no elements to take the mean of");
  call->kernel = kernel;
  call->num_tasks = length == 0 ? 0 : (rows + rows_per_task(length) - 1) / rows_per_task(length);
  call->scratch_bytes = 0;
  int64_t rows_of[HONED_MAX_RANK];
  for (int i = 0; i < x->rank; i++) rows_of[i] = i < axis ? x->dims[i] : 1;
  for (int i = 1; i < call->num_outputs && status == HONED_OK; i++) status = honed_call_output(call, i, x->rank, rows_of, ctx);
  return status == HONED_OK ? honed_call_output(call, 0, x->rank, x->dims, ctx) : status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_layer_norm"; }

const honed_op_type honed_op_layer_norm = {"layer_norm", create, free, reshape, kernel_name, 0};
