/* The activations of requantize.h, on vectors; include after a simd header. */
#ifndef HONED_CONV_REQUANTIZE_GATE_H
#define HONED_CONV_REQUANTIZE_GATE_H

#include "base/math_f32.h"
#include "requantize.h"

static inline vf requantize_gate(const honed_requantize *r, vf t) {
  const vf scale = vf_set1(r->gate_scale);
  if (r->gate == HONED_GATE_SIGMOID) return vf_times_sigmoid(t, vf_mul(scale, t));
  return vf_mul(t, vf_clamp(vf_fma(t, scale, vf_set1(r->gate_offset)), 0.0f, 1.0f));
}

#endif
