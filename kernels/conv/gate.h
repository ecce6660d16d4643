/* Activations that multiply their argument with a gate, on a convolution's or a Gemm's results before they are stored:
 *
 *   HONED_GATE_HARD     g(t) = t max(0, min(1, fmaf(t, scale, offset)))      HardSwish: scale 1/6, offset 1/2
 *   HONED_GATE_SIGMOID  g(t) = t sigmoid(scale t)                            SiLU: scale 1
 *
 * Where t is a multiple of a quantised output's scale, `scale` has that as a factor. g(0) = 0. */
#ifndef HONED_CONV_GATE_H
#define HONED_CONV_GATE_H

#include "base/operator.h"

typedef enum honed_gate_kind { HONED_GATE_NONE, HONED_GATE_HARD, HONED_GATE_SIGMOID, HONED_GATE_KINDS } honed_gate_kind;

typedef struct honed_gate {
  honed_gate_kind kind;
  float scale, offset; /* finite; of a sigmoid, scale >= 0 */
  float slope, limit;  /* of a sigmoid: base/math_f32.h */
} honed_gate;

/* Reads and checks the attributes gate, gate_scale and gate_offset. */
honed_status honed_gate_read(const honed_op_spec *spec, honed_gate *out, honed_context *ctx);

/* g(t), of a gate that is not HONED_GATE_NONE. */
float honed_gate_apply(const honed_gate *g, float t);

#endif
