#include <stdlib.h>

#include "base/check.h"
#include "quantize.h"

static const honed_span_table variants[] = {
#define HONED_QUANTIZE_VARIANT(isa, variant) {isa, honed_quantize_kernels__##variant},
#include "kernels.inc"
#undef HONED_QUANTIZE_VARIANT
};

/* scale, zero_point: attributes checked against the integer type. */
static honed_status read_attributes(const honed_op_spec *spec, honed_dtype type, honed_quantize_params *p, honed_context *ctx) {
  const int64_t lo = type == HONED_U8 ? 0 : type == HONED_S8 ? -128 : 0;
  const int64_t hi = type == HONED_U8 ? 255 : type == HONED_S8 ? 127 : 0;
  int64_t zero_point = 0;
  honed_status status = honed_attr_int(spec, "zero_point", 0, lo, hi, &zero_point, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "scale", 1.0, &p->scale, ctx);
  if (status != HONED_OK) return status;
  if (p->scale <= 0) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute scale is %g, expected more than 0", (double)p->scale);
  p->zero_point = (int32_t)zero_point;
  p->lo = (float)(lo - zero_point);
  p->hi = (float)(hi - zero_point);
  return HONED_OK;
}

static honed_status create_quantize(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_quantize_params p = {.base.kernel = honed_span_select(variants, spec->isa)[HONED_QUANTIZE]};
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype type = spec->outputs[0]->dtype;
  if (type != HONED_U8 && type != HONED_S8) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "output 0 is %s, expected u8 or s8", honed_dtype_name(type));
  }
  status = read_attributes(spec, type, &p, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status create_dequantize(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_F32, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype type = spec->inputs[0]->dtype;
  if (type != HONED_U8 && type != HONED_S8 && type != HONED_S32) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input 0 is %s, expected u8, s8 or s32", honed_dtype_name(type));
  }
  const int function = type == HONED_U8 ? HONED_DEQUANTIZE_U8 : type == HONED_S8 ? HONED_DEQUANTIZE_S8 : HONED_DEQUANTIZE_S32;
  honed_quantize_params p = {.base.kernel = honed_span_select(variants, spec->isa)[function]};
  status = read_attributes(spec, type, &p, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

const honed_op_type honed_op_quantize = {
    .name = "quantize",
    .create = create_quantize,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_PER_IMAGE,
};

const honed_op_type honed_op_dequantize = {
    .name = "dequantize",
    .create = create_dequantize,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_PER_IMAGE,
};
