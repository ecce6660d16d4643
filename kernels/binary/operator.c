#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "binary.h"

static const honed_span_table variants[] = {
#define HONED_BINARY_VARIANT(isa, variant) {isa, honed_binary_kernels__##variant},
#include "kernels.inc"
#undef HONED_BINARY_VARIANT
};

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_binary_params p = {0};
  int64_t op = 0;
  honed_status status = honed_spec_arity(spec, 2, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[1], "input 1", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "op", 0, 0, HONED_BINARY_FUNCTIONS - 1, &op, ctx);
  if (status == HONED_OK) status = honed_attr_range(spec, "clamp_lo", "clamp_hi", -INFINITY, INFINITY, &p.lo, &p.hi, ctx);
  if (status != HONED_OK) return status;
  const honed_span_kernel *kernels = honed_span_select(variants, spec->isa);
  p.base.kernel = kernels[2 * op];
  p.base.broadcast = kernels[2 * op + 1];
  return honed_params_copy(&p, sizeof p, params, ctx);
}

const honed_op_type honed_op_binary_f32 = {
    .name = "binary_f32",
    .create = create,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_OVER_FIRST | HONED_OP_OVER_SECOND | HONED_OP_PER_IMAGE,
};
