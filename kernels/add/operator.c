#include <stdlib.h>

#include "add.h"
#include "base/check.h"

static const honed_span_table variants[] = {
#define HONED_ADD_VARIANT(isa, variant) {isa, honed_add_kernels__##variant},
#include "kernels.inc"
#undef HONED_ADD_VARIANT
};

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_add_params p = {.base.kernel = honed_span_select(variants, spec->isa)[0]};
  honed_status status = honed_spec_arity(spec, 2, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[1], "input 1", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "scale_a", 1.0, &p.scale_a, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "scale_b", 1.0, &p.scale_b, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "offset", 0.0, &p.offset, ctx);
  if (status == HONED_OK) status = honed_attr_u8_range(spec, &p.lo, &p.hi, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

const honed_op_type honed_op_add_u8 = {
    .name = "add_u8",
    .create = create,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_OVER_FIRST | HONED_OP_OVER_SECOND | HONED_OP_PER_IMAGE,
};
