#include "output_f32.h"

#include <math.h>

honed_status honed_output_f32_create(const honed_op_spec *spec, int index, int64_t out_channels, honed_output_f32 *out,
                                     honed_context *ctx) {
  if (spec->inputs[0]->dtype != HONED_F32 || spec->outputs[0]->dtype != HONED_F32) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "operands are %s and %s, expected f32", honed_dtype_name(spec->inputs[0]->dtype),
                      honed_dtype_name(spec->outputs[0]->dtype));
  }
  const void *bias = NULL;
  honed_status status = honed_const_get(spec, index, HONED_F32, out_channels, &bias, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "clamp_lo", -INFINITY, &out->clamp_lo, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "clamp_hi", INFINITY, &out->clamp_hi, ctx);
  if (status == HONED_OK) status = honed_gate_read(spec, &out->gate, ctx);
  out->bias = bias;
  return status;
}
