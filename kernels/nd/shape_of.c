/* shape_of: dimensions `start` to `end` - 1 of a tensor, as ONNX Shape counts them. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "shape.h"

typedef struct shape_params {
  int64_t start, end;
} shape_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  shape_params p;
  honed_status status = honed_nd_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_S64, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "start", 0, INT32_MIN, INT32_MAX, &p.start, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "end", INT32_MAX, INT32_MIN, INT32_MAX, &p.end, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static int64_t within(int64_t axis, int rank) {
  if (axis < 0) axis += rank;
  return axis < 0 ? 0 : axis > rank ? rank : axis;
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch, (void)begin, (void)end;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const int64_t start = within(((const shape_params *)call->params)->start, x->rank);
  memcpy(y->data, x->dims + start, (size_t)y->dims[0] * sizeof *x->dims);
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const shape_params *p = call->params;
  const int rank = call->inputs[0]->rank;
  const int64_t count = within(p->end, rank) - within(p->start, rank);
  call->kernel = kernel;
  call->num_tasks = count > 0 ? 1 : 0;
  call->scratch_bytes = 0;
  return honed_call_output(call, 0, 1, (int64_t[]){count > 0 ? count : 0}, ctx);
}

static const char *kernel_name(const void *params) { return (void)params, "honed_shape_of"; }

const honed_op_type honed_op_shape_of = {"shape_of", create, free, reshape, kernel_name, 0};
