/* where: y = condition ? a : b, with NumPy's broadcasting. */
#include <stdlib.h>

#include "base/check.h"
#include "shape.h"
#include "walk.h"

typedef struct where_params {
  int64_t bytes;
} where_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  honed_status status = honed_nd_arity(spec, 3, 3, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_BOOL, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[1], "input 1", spec->outputs[0]->dtype, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[2], "input 2", spec->outputs[0]->dtype, ctx);
  if (status != HONED_OK) return status;
  const where_params p = {(int64_t)honed_dtype_bytes(spec->outputs[0]->dtype)};
  return honed_params_copy(&p, sizeof p, out, ctx);
}

#define SELECT(name, type)                                                                                         \
  static void name(const honed_call *call, const honed_nd_walk *w, const int64_t *in, int64_t at, int64_t n) {     \
    const uint8_t *condition = (const uint8_t *)call->inputs[0]->data + in[0];                                     \
    const type *a = (const type *)call->inputs[1]->data + in[1], *b = (const type *)call->inputs[2]->data + in[2]; \
    type *y = (type *)call->outputs[0]->data + at;                                                                 \
    const int64_t *s = w->row_stride;                                                                              \
    for (int64_t i = 0; i < n; i++) y[i] = condition[i * s[0]] ? a[i * s[1]] : b[i * s[2]];                        \
  }
SELECT(select_1, uint8_t)
SELECT(select_4, uint32_t)
SELECT(select_8, uint64_t)
#undef SELECT

static void run_row(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n) {
  const honed_call *call = context;
  const int64_t bytes = ((const where_params *)call->params)->bytes;
  (bytes == 1 ? select_1 : bytes == 4 ? select_4 : select_8)(call, walk, in, at, n);
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  honed_nd_walk_run(call->plan, begin, end, run_row, call);
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_status status = honed_nd_walk_broadcast(call, 3, ctx);
  call->kernel = kernel;
  return status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_where"; }

const honed_op_type honed_op_where = {"where", create, free, reshape, kernel_name, 0};
