/* What a float convolution does with its sums: y = g(clamp(sum + residual, clamp_lo, clamp_hi)); the sum starts from the bias, and g is the
 * identity or an activation (gate.h). */
#ifndef HONED_CONV_OUTPUT_F32_H
#define HONED_CONV_OUTPUT_F32_H

#include "gate.h"

typedef struct honed_output_f32 {
  const float *bias; /* [out_channels] */
  float clamp_lo, clamp_hi;
  honed_gate gate;
} honed_output_f32;

/* Reads the constant `index` and the attributes; checks that input and output are f32. */
honed_status honed_output_f32_create(const honed_op_spec *spec, int index, int64_t out_channels, honed_output_f32 *out, honed_context *ctx);

static inline float honed_output_f32_apply(const honed_output_f32 *o, float sum) {
  const float raised = sum > o->clamp_lo ? sum : o->clamp_lo;
  const float clamped = raised < o->clamp_hi ? raised : o->clamp_hi;
  return o->gate.kind == HONED_GATE_NONE ? clamped : honed_gate_apply(&o->gate, clamped);
}

#endif
