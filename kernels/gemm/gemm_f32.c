#include "gemm_f32.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "operand.h"

static const honed_gemm_f32_variant variants[] = {
#define HONED_GEMM_F32(isa, symbol) {isa, #symbol, symbol},
#include "gemm_f32.inc"
#undef HONED_GEMM_F32
};

const honed_gemm_f32_variant *honed_gemm_f32_select(honed_isa isa) {
  const honed_gemm_f32_variant *v = variants;
  while ((v->isa & isa) != v->isa) v++;
  return v;
}

typedef struct gemm_params {
  honed_gemm_shape shape;
  const float *packed, *bias;
  float lo, hi;
  const honed_gemm_f32_variant *variant;
} gemm_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  gemm_params p = {.variant = honed_gemm_f32_select(spec->isa)};
  honed_status status = honed_gemm_shape_read(spec, HONED_F32, &p.shape, ctx);
  if (status != HONED_OK) return status;
  const int64_t count = (p.shape.n + HONED_GEMM_BLOCK - 1) / HONED_GEMM_BLOCK * HONED_GEMM_BLOCK * p.shape.k;
  if ((status = honed_const_get(spec, 0, HONED_F32, count, (const void **)&p.packed, ctx)) != HONED_OK) return status;
  if ((status = honed_const_get(spec, 1, HONED_F32, p.shape.n, (const void **)&p.bias, ctx)) != HONED_OK) return status;
  if ((status = honed_attr_range(spec, "clamp_lo", "clamp_hi", -INFINITY, INFINITY, &p.lo, &p.hi, ctx)) != HONED_OK) return status;
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const gemm_params *p = call->params;
  const int64_t n = p->shape.n, k = p->shape.k, m = honed_tensor_count(call->inputs[0]) / k;
  for (int64_t task = begin; task < end; task++) {
    const honed_gemm_task t = honed_gemm_task_at(m, n, task);
    p->variant->fn(&(honed_gemm_f32_args){
        .x = (const float *)call->inputs[0]->data + t.m0 * k,
        .m = t.m,
        .k = k,
        .ldx = k,
        .w = p->packed + t.n0 * k,
        .bias = p->bias + t.n0,
        .y = (float *)call->outputs[0]->data + t.m0 * n + t.n0,
        .n = t.n,
        .ldy = n,
        .lo = p->lo,
        .hi = p->hi,
    });
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const gemm_params *p = call->params;
  int64_t m = 0;
  const honed_status status = honed_gemm_shape_apply(&p->shape, call, &m, ctx);
  if (status != HONED_OK) return status;
  call->kernel = kernel;
  call->num_tasks = honed_gemm_task_count(m, p->shape.n);
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const gemm_params *)params)->variant->name; }

const honed_op_type honed_op_gemm_f32 = {"gemm_f32", create, free, reshape, kernel_name, 0};
