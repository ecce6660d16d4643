#include "requantize.h"

#include <string.h>

static honed_status check_u8_bounds(const char *which, float lo, float hi, honed_context *ctx) {
  /* Written so that NaN fails. */
  if (lo >= 0.0f && lo <= hi && hi <= 255.0f) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%s bounds [%g, %g], expected within [0, 255]", which, (double)lo, (double)hi);
}

static honed_status read_residual(const honed_op_spec *spec, honed_requantize *r, honed_context *ctx) {
  int64_t residual_first = 0;
  honed_status status = honed_attr_float(spec, "sum_scale", 1.0, &r->sum_scale, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "residual_scale", 1.0, &r->residual_scale, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "sum_offset", 0.0, &r->sum_offset, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "sum_lo", 0.0, &r->sum_lo, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "sum_hi", 255.0, &r->sum_hi, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "residual_first", 0, 0, 1, &residual_first, ctx);
  if (status == HONED_OK) status = check_u8_bounds("sum", r->sum_lo, r->sum_hi, ctx);
  r->residual_first = residual_first != 0;
  return status;
}

static honed_status read_gate(const honed_op_spec *spec, honed_requantize *r, honed_context *ctx) {
  const honed_status status = honed_gate_read(spec, &r->gate, ctx);
  const bool joins = spec->num_inputs > 1 && spec->inputs[1] != NULL;
  return status == HONED_OK && joins && r->gate.kind != HONED_GATE_NONE ? honed_fail(ctx, HONED_INVALID_ARTIFACT, "a gate and a residual")
                                                                        : status;
}

static bool saturates(const honed_requantize *r, int64_t out_channels) {
  bool bounded = r->clamp_lo == 0.0f - (float)r->zero_point && r->clamp_hi == 255.0f - (float)r->zero_point;
  for (int64_t i = 0; i < out_channels && bounded; i++) {
    /* |acc| <= 2^31, so |acc * scale + offset| < 2^31. NaN fails. */
    bounded = fabsf(r->scale[i]) <= 0.5f && fabsf(r->offset[i]) <= 0x1p20f;
  }
  return bounded;
}

static bool sum_saturates(const honed_requantize *r) {
  /* NaN fails. */
  const float magnitude = 255.0f * (fabsf(r->sum_scale) + fabsf(r->residual_scale)) + fabsf(r->sum_offset);
  return r->sum_lo == 0.0f && r->sum_hi == 255.0f && magnitude <= 0x1p30f;
}

/* A result that is no number has no place between the bounds, and vectors and scalars would differ in where they put it. */
static honed_status check_finite(const honed_requantize *r, int64_t out_channels, honed_context *ctx) {
  for (int64_t i = 0; i < out_channels; i++) {
    if (isfinite(r->scale[i]) && isfinite(r->offset[i])) continue;
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "channel %lld has the scale %g and the offset %g before its residual", (long long)i,
                      (double)r->scale[i], (double)r->offset[i]);
  }
  return HONED_OK;
}

static int32_t rounded_bits(float bound) {
  const float rounded = HONED_REQUANTIZE_INTEGERS + bound;
  int32_t bits;
  memcpy(&bits, &rounded, sizeof bits);
  return bits;
}

honed_status honed_requantize_create(const honed_op_spec *spec, int first, int64_t out_channels, honed_requantize *out,
                                     honed_context *ctx) {
  honed_requantize r;
  const bool quantized = spec->outputs[0]->dtype == HONED_U8;
  if (!quantized && spec->outputs[0]->dtype != HONED_F32) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "output is %s, expected u8 or f32", honed_dtype_name(spec->outputs[0]->dtype));
  }
  if (!quantized && spec->num_inputs > 1 && spec->inputs[1] != NULL) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "a residual needs a u8 output");
  }
  const void *init = NULL, *scale = NULL, *offset = NULL;
  honed_status status = honed_const_get(spec, first, HONED_S32, out_channels, &init, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, first + 1, HONED_F32, out_channels, &scale, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, first + 2, HONED_F32, out_channels, &offset, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "clamp_lo", quantized ? 0.0 : -INFINITY, &r.clamp_lo, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "clamp_hi", quantized ? 255.0 : INFINITY, &r.clamp_hi, ctx);
  int64_t zero_point = 0;
  if (status == HONED_OK && quantized) status = check_u8_bounds("clamp", r.clamp_lo, r.clamp_hi, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "zero_point", 0, 0, quantized ? 255 : 0, &zero_point, ctx);
  if (status == HONED_OK) status = read_residual(spec, &r, ctx);
  if (status == HONED_OK) status = read_gate(spec, &r, ctx);
  if (status != HONED_OK) return status;
  r.zero_point = (int32_t)zero_point;
  r.clamp_lo -= (float)zero_point;
  r.clamp_hi -= (float)zero_point;
  r.rounded_lo = rounded_bits(r.clamp_lo);
  r.rounded_hi = rounded_bits(r.clamp_hi);
  r.init = init;
  r.scale = scale;
  r.offset = offset;
  if (spec->num_inputs > 1 && spec->inputs[1] != NULL) status = check_finite(&r, out_channels, ctx);
  r.saturates = saturates(&r, out_channels);
  r.sum_saturates = sum_saturates(&r);
  if (status == HONED_OK) *out = r;
  return status;
}
