#include "binary.h"

#include <stdlib.h>

#include "base/check.h"
#include "shape.h"
#include "walk.h"

typedef struct binary_params {
  honed_binary_row row;
} binary_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  int64_t op = 0;
  honed_status status = honed_nd_arity(spec, 2, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[1], "input 1", spec->inputs[0]->dtype, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "op", 0, 0, HONED_BINARY_OPS - 1, &op, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype dtype = spec->inputs[0]->dtype, result = honed_binary_gives_bool((honed_binary_op)op) ? HONED_BOOL : dtype;
  if ((status = honed_check_dtype(spec->outputs[0], "output 0", result, ctx)) != HONED_OK) return status;
  const binary_params p = {honed_binary_row_find((honed_binary_op)op, dtype)};
  if (p.row == NULL) return honed_fail(ctx, HONED_UNSUPPORTED, "operation %d of %s", (int)op, honed_dtype_name(dtype));
  return honed_params_copy(&p, sizeof p, out, ctx);
}

typedef struct operands {
  honed_binary_row row;
  const char *a, *b;
  char *y;
  int64_t bytes, y_bytes;
} operands;

static void run_row(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n) {
  const operands *o = context;
  o->row(o->a + in[0] * o->bytes, o->b + in[1] * o->bytes, o->y + at * o->y_bytes, n, walk->row_stride[0], walk->row_stride[1]);
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const operands o = {((const binary_params *)call->params)->row,
                      call->inputs[0]->data,
                      call->inputs[1]->data,
                      call->outputs[0]->data,
                      (int64_t)honed_dtype_bytes(call->inputs[0]->dtype),
                      (int64_t)honed_dtype_bytes(call->outputs[0]->dtype)};
  honed_nd_walk_run(call->plan, begin, end, run_row, &o);
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_status status = honed_nd_walk_broadcast(call, 2, ctx);
  call->kernel = kernel;
  return status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_binary"; }

const honed_op_type honed_op_binary = {"binary", create, free, reshape, kernel_name, 0};
