/* The activations of gate.h, on vectors; include after a simd header. */
#ifndef HONED_CONV_GATE_VECTOR_H
#define HONED_CONV_GATE_VECTOR_H

#include "base/math_f32.h"
#include "gate.h"

static inline vf gate_vector(const honed_gate *g, vf t) {
  const vf scale = vf_set1(g->scale);
  if (g->kind == HONED_GATE_SIGMOID) return vf_times_sigmoid(t, vf_mul(scale, t));
  return vf_mul(t, vf_clamp(vf_fma(t, scale, vf_set1(g->offset)), 0.0f, 1.0f));
}

/* In place, of n results that were just stored. What is 0 stays 0: gaps may be among them. */
static inline void gate_floats(const honed_gate *g, float *y, int64_t n) {
  if (g->kind == HONED_GATE_NONE) return;
  const honed_gate gate = *g;
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, gate_vector(&gate, vf_load(y + i)));
  if (i < n) vf_store_part(y + i, gate_vector(&gate, vf_load_part(y + i, n - i)), n - i);
}

#endif
