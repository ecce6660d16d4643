#include "gate.h"

#include "base/simd_scalar.h"
/* Behind the vectors that it is written for. */
#include "gate_vector.h"

honed_status honed_gate_read(const honed_op_spec *spec, honed_gate *out, honed_context *ctx) {
  int64_t kind = HONED_GATE_NONE;
  honed_gate g = {0};
  honed_status status = honed_attr_int(spec, "gate", HONED_GATE_NONE, 0, HONED_GATE_KINDS - 1, &kind, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "gate_scale", 1.0, &g.scale, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "gate_offset", 0.0, &g.offset, ctx);
  if (status == HONED_OK && !(isfinite(g.scale) && isfinite(g.offset) && (g.scale >= 0.0f || kind != HONED_GATE_SIGMOID))) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "a gate's scale is %g and its offset %g", (double)g.scale, (double)g.offset);
  }
  if (status != HONED_OK) return status;
  g.kind = (honed_gate_kind)kind;
  g.slope = vf_sigmoid_slope(g.scale);
  g.limit = vf_sigmoid_limit(g.slope);
  *out = g;
  return HONED_OK;
}

float honed_gate_apply(const honed_gate *g, float t) { return gate_vector(g, t); }
