#include "lookup.h"

#include <stdlib.h>

#include "base/check.h"

static const honed_span_table variants[] = {
#define HONED_LOOKUP_VARIANT(isa, variant) {isa, honed_lookup_kernels__##variant},
#include "kernels.inc"
#undef HONED_LOOKUP_VARIANT
};

static honed_status create_lookup(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_lookup_params p = {.base.kernel = honed_span_select(variants, spec->isa)[HONED_LOOKUP]};
  const void *table = NULL;
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_U8, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 0, HONED_U8, 256, &table, ctx);
  p.table = table;
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status create_shift(const honed_op_spec *spec, void **params, honed_context *ctx) {
  const honed_lookup_params p = {.base.kernel = honed_span_select(variants, spec->isa)[HONED_SHIFT]};
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype from = spec->inputs[0]->dtype, to = spec->outputs[0]->dtype;
  if (!(from == HONED_S8 && to == HONED_U8) && !(from == HONED_U8 && to == HONED_S8)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input 0 is %s and output 0 %s, expected s8 and u8, or u8 and s8",
                      honed_dtype_name(from), honed_dtype_name(to));
  }
  return honed_params_copy(&p, sizeof p, params, ctx);
}

const honed_op_type honed_op_lookup_u8 = {
    .name = "lookup_u8",
    .create = create_lookup,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_OVER_FIRST | HONED_OP_PER_IMAGE,
};

const honed_op_type honed_op_shift_u8 = {
    .name = "shift_u8",
    .create = create_shift,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_OVER_FIRST | HONED_OP_PER_IMAGE,
};
