/* The operators gemm_f32 and gemm_bf16. */
#include <math.h>
#include <stdlib.h>

#include "base/bf16.h"
#include "base/check.h"
#include "base/integers.h"
#include "gemm_bf16.h"
#include "gemm_f32.h"
#include "operand.h"

#define HONED_GEMM_FLOAT(isa, symbol) {isa, #symbol, symbol},
static const honed_gemm_f32_variant f32_variants[] = {
#define HONED_GEMM_F32 HONED_GEMM_FLOAT
#include "gemm_f32.inc"
#undef HONED_GEMM_F32
};
static const honed_gemm_f32_variant bf16_variants[] = {
#define HONED_GEMM_BF16 HONED_GEMM_FLOAT
#include "gemm_bf16.inc"
#undef HONED_GEMM_BF16
};

static const honed_gemm_f32_variant *first_allowed(const honed_gemm_f32_variant *v, honed_isa isa) {
  while ((v->isa & isa) != v->isa) v++;
  return v;
}

const honed_gemm_f32_variant *honed_gemm_f32_select(honed_isa isa) { return first_allowed(f32_variants, isa); }

typedef struct gemm_params {
  honed_gemm_shape shape;
  int64_t units; /* of 4 bytes, per output: numbers in f32, or pairs in bf16 */
  const float *packed, *bias;
  float lo, hi;
  bool pairs;
  const honed_gemm_f32_variant *variant;
} gemm_params;

static honed_status create(const honed_op_spec *spec, gemm_params p, void **out, honed_context *ctx) {
  honed_status status = honed_gemm_shape_read(spec, HONED_F32, &p.shape, ctx);
  if (status != HONED_OK) return status;
  p.units = p.pairs ? honed_divide_up(p.shape.k, 2) : p.shape.k;
  const int64_t count = honed_divide_up(p.shape.n, HONED_GEMM_BLOCK) * HONED_GEMM_BLOCK * p.units * (p.pairs ? 2 : 1);
  if ((status = honed_const_get(spec, 0, p.pairs ? HONED_U16 : HONED_F32, count, (const void **)&p.packed, ctx)) != HONED_OK) return status;
  if ((status = honed_const_get(spec, 1, HONED_F32, p.shape.n, (const void **)&p.bias, ctx)) != HONED_OK) return status;
  if ((status = honed_attr_range(spec, "clamp_lo", "clamp_hi", -INFINITY, INFINITY, &p.lo, &p.hi, ctx)) != HONED_OK) return status;
  if (p.pairs) {
    p.lo = honed_flush(p.lo);
    p.hi = honed_flush(p.hi);
  }
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static honed_status create_f32(const honed_op_spec *spec, void **out, honed_context *ctx) {
  return create(spec, (gemm_params){.variant = honed_gemm_f32_select(spec->isa)}, out, ctx);
}

static honed_status create_bf16(const honed_op_spec *spec, void **out, honed_context *ctx) {
  return create(spec, (gemm_params){.pairs = true, .variant = first_allowed(bf16_variants, spec->isa)}, out, ctx);
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const gemm_params *p = call->params;
  const int64_t n = p->shape.n, k = p->shape.k, m = honed_tensor_count(call->inputs[0]) / k;
  for (int64_t task = begin; task < end; task++) {
    const honed_gemm_task t = honed_gemm_task_at(m, n, task);
    p->variant->fn(&(honed_gemm_f32_args){
        .x = (const float *)call->inputs[0]->data + t.m0 * k,
        .m = t.m,
        .k = k,
        .ldx = k,
        .w = p->packed + t.n0 * p->units,
        .bias = p->bias + t.n0,
        .y = (float *)call->outputs[0]->data + t.m0 * n + t.n0,
        .n = t.n,
        .ldy = n,
        .lo = p->lo,
        .hi = p->hi,
        .pairs = scratch,
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
  call->scratch_bytes = p->pairs ? (size_t)(HONED_GEMM_ROWS * p->units) * sizeof(float) : 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const gemm_params *)params)->variant->name; }

const honed_op_type honed_op_gemm_f32 = {"gemm_f32", create_f32, free, reshape, kernel_name, 0};
const honed_op_type honed_op_gemm_bf16 = {"gemm_bf16", create_bf16, free, reshape, kernel_name, 0};
