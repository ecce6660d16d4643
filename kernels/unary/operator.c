#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "unary.h"

static const honed_span_table variants[] = {
#define HONED_UNARY_VARIANT(isa, variant) {isa, honed_unary_kernels__##variant},
#include "kernels.inc"
#undef HONED_UNARY_VARIANT
};

static const struct {
  double alpha, beta;
} defaults[HONED_UNARY_FUNCTIONS] = {
#define HONED_UNARY_FUNCTION(code, name, alpha, beta) [code] = {alpha, beta},
#include "functions.inc"
#undef HONED_UNARY_FUNCTION
};

static honed_status read_attributes(const honed_op_spec *spec, int64_t op, honed_unary_params *p, honed_context *ctx) {
  const double alpha = defaults[op].alpha, beta = defaults[op].beta;
  if (op == HONED_UNARY_clip) return honed_attr_range(spec, "alpha", "beta", alpha, beta, &p->alpha, &p->beta, ctx);
  honed_status status = honed_attr_finite(spec, "alpha", alpha, &p->alpha, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "beta", beta, &p->beta, ctx);
  if (status == HONED_OK && op == HONED_UNARY_celu && p->alpha <= 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute alpha is %g, expected more than 0", (double)p->alpha);
  }
  return status;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_unary_params p = {0};
  int64_t op = 0;
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "op", 0, 0, HONED_UNARY_FUNCTIONS - 1, &op, ctx);
  if (status == HONED_OK) status = read_attributes(spec, op, &p, ctx);
  if (status != HONED_OK) return status;
  p.base.kernel = honed_span_select(variants, spec->isa)[op];
  return honed_params_copy(&p, sizeof p, params, ctx);
}

const honed_op_type honed_op_unary_f32 = {
    .name = "unary_f32",
    .create = create,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_OVER_FIRST | HONED_OP_PER_IMAGE,
};
