#include "operand.h"

#include "gemm_f32.h"

honed_status honed_gemm_shape_read(const honed_op_spec *spec, honed_dtype x, honed_gemm_shape *out, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *in = spec->inputs[0], *y = spec->outputs[0];
  const bool quantized = y->dtype == HONED_U8 && x == HONED_U8;
  if (in->dtype != x || in->layout != HONED_DENSE || y->layout != HONED_DENSE || !(y->dtype == HONED_F32 || quantized)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%s to %s: expected dense %s to dense f32%s", honed_dtype_name(in->dtype),
                      honed_dtype_name(y->dtype), honed_dtype_name(x), x == HONED_U8 ? " or u8" : "");
  }
  const int64_t most = INT32_MAX;
  if ((status = honed_attr_int(spec, "n", 0, 1, most, &out->n, ctx)) != HONED_OK) return status;
  return honed_attr_int(spec, "k", 0, 1, most, &out->k, ctx);
}

honed_status honed_gemm_shape_apply(const honed_gemm_shape *shape, honed_call *call, int64_t *rows, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  if (x->rank < 1 || x->dims[x->rank - 1] != shape->k) {
    char text[128];
    honed_tensor_describe(x, text, sizeof text);
    return honed_fail(ctx, HONED_INVALID_SHAPE, "input is %s: expected a last dimension of %lld", text, (long long)shape->k);
  }
  int64_t dims[HONED_MAX_RANK];
  *rows = 1;
  for (int i = 0; i < x->rank - 1; i++) *rows *= dims[i] = x->dims[i];
  dims[x->rank - 1] = shape->n;
  return honed_call_output(call, 0, x->rank, dims, ctx);
}

static int64_t row_groups(int64_t m) { return (m + HONED_GEMM_TASK_ROWS - 1) / HONED_GEMM_TASK_ROWS; }

int64_t honed_gemm_task_count(int64_t m, int64_t n) { return (n + HONED_GEMM_PANEL - 1) / HONED_GEMM_PANEL * row_groups(m); }

honed_gemm_task honed_gemm_task_at(int64_t m, int64_t n, int64_t task) {
  const int64_t m0 = task % row_groups(m) * HONED_GEMM_TASK_ROWS, n0 = task / row_groups(m) * HONED_GEMM_PANEL;
  return (honed_gemm_task){
      .m0 = m0,
      .m = m - m0 < HONED_GEMM_TASK_ROWS ? m - m0 : HONED_GEMM_TASK_ROWS,
      .n0 = n0,
      .n = n - n0 < HONED_GEMM_PANEL ? n - n0 : HONED_GEMM_PANEL,
  };
}
