#include "gemm_u8s8.h"

#include <stdlib.h>

#include "base/check.h"
#include "operand.h"

static const honed_gemm_u8s8_variant variants[] = {
#define HONED_GEMM_U8S8(isa, symbol) {isa, #symbol, symbol},
#include "gemm_u8s8.inc"
#undef HONED_GEMM_U8S8
};

static const honed_gemm_u8s8_variant *select_variant(honed_isa isa) {
  const honed_gemm_u8s8_variant *v = variants;
  while ((v->isa & isa) != v->isa) v++;
  return v;
}

typedef struct gemm_params {
  honed_gemm_shape shape;
  const int8_t *packed;
  int64_t passes, pass_stride;
  honed_requantize requantize;
  bool y_is_f32;
  const honed_gemm_u8s8_variant *variant;
} gemm_params;

static honed_status read_packed(const honed_op_spec *spec, gemm_params *p, honed_context *ctx) {
  p->pass_stride = (p->shape.n + HONED_GEMM_BLOCK - 1) / HONED_GEMM_BLOCK * HONED_GEMM_BLOCK * ((p->shape.k + 3) / 4) * 4;
  const int64_t found = spec->num_consts > 0 ? honed_tensor_count(&spec->consts[0]) : 0;
  p->passes = found / p->pass_stride;
  if (p->passes < 1 || p->passes > HONED_GEMM_U8S8_MAX_PASSES) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "packed weights have %lld elements, expected a multiple of %lld", (long long)found,
                      (long long)p->pass_stride);
  }
  return honed_const_get(spec, 0, HONED_S8, p->passes * p->pass_stride, (const void **)&p->packed, ctx);
}

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  gemm_params p = {.variant = select_variant(spec->isa)};
  honed_status status = honed_gemm_shape_read(spec, HONED_U8, &p.shape, ctx);
  if (status != HONED_OK) return status;
  if ((status = read_packed(spec, &p, ctx)) != HONED_OK) return status;
  if ((status = honed_requantize_create(spec, 1, p.shape.n, &p.requantize, ctx)) != HONED_OK) return status;
  p.y_is_f32 = spec->outputs[0]->dtype == HONED_F32;
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const gemm_params *p = call->params;
  const int64_t n = p->shape.n, k = p->shape.k, m = honed_tensor_count(call->inputs[0]) / k;
  for (int64_t task = begin; task < end; task++) {
    const honed_gemm_task t = honed_gemm_task_at(m, n, task);
    const int64_t at = t.m0 * n + t.n0;
    p->variant->fn(&(honed_gemm_u8s8_args){
        .x = (const uint8_t *)call->inputs[0]->data + t.m0 * k,
        .m = t.m,
        .k = k,
        .ldx = k,
        .w = p->packed + t.n0 * ((k + 3) / 4) * 4,
        .passes = p->passes,
        .pass_stride = p->pass_stride,
        .requantize = &p->requantize,
        .channel = t.n0,
        .y = p->y_is_f32 ? (void *)((float *)call->outputs[0]->data + at) : (uint8_t *)call->outputs[0]->data + at,
        .y_is_f32 = p->y_is_f32,
        .n = t.n,
        .ldy = n,
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

const honed_op_type honed_op_gemm_u8s8 = {"gemm_u8s8", create, free, reshape, kernel_name, 0};
