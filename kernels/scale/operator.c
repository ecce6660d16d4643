#include <stdlib.h>

#include "base/check.h"
#include "scale.h"

static const honed_span_table variants[] = {
#define HONED_SCALE_VARIANT(isa, variant) {isa, honed_scale_kernels__##variant},
#include "kernels.inc"
#undef HONED_SCALE_VARIANT
};

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  const honed_span_kernel *kernels = honed_span_select(variants, spec->isa);
  honed_scale_params p = {.base = {.kernel = kernels[0], .broadcast = kernels[1]}};
  int64_t zero_point = 0, output_zero_point = 0;
  honed_status status = honed_spec_arity(spec, 2, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[1], "input 1", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "scale", 1.0, &p.scale, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "zero_point", 0, 0, 255, &zero_point, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "output_zero_point", 0, 0, 255, &output_zero_point, ctx);
  if (status == HONED_OK) status = honed_attr_u8_range(spec, &p.lo, &p.hi, ctx);
  if (status != HONED_OK) return status;
  p.zero_point = (int32_t)zero_point;
  p.output_zero_point = (int32_t)output_zero_point;
  p.lo -= (float)output_zero_point;
  p.hi -= (float)output_zero_point;
  return honed_params_copy(&p, sizeof p, params, ctx);
}

const honed_op_type honed_op_scale_u8 = {
    .name = "scale_u8",
    .create = create,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_OVER_FIRST | HONED_OP_PER_IMAGE,
};
