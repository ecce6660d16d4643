/* The activations of gate.h, on vectors; include after a simd header. */
#ifndef HONED_CONV_GATE_VECTOR_H
#define HONED_CONV_GATE_VECTOR_H

#include "base/math_f32.h"
#include "gate.h"

/* g of n results, a constant, up to 4. */
ALWAYS void gate_vectors(const honed_gate *g, vf t[], int n) {
  if (g->kind == HONED_GATE_SIGMOID) {
    vf_times_sigmoids(t, t, n, g->slope, g->limit);
  } else {
    const vf scale = vf_set1(g->scale), offset = vf_set1(g->offset);
    HONED_UNROLL4(j, if (j < n) t[j] = vf_mul(t[j], vf_clamp(vf_fma(t[j], scale, offset), 0.0f, 1.0f));)
  }
}

static inline vf gate_vector(const honed_gate *g, vf t) {
  gate_vectors(g, &t, 1);
  return t;
}

/* In place, of n results that were just stored. What is 0 stays 0: gaps may be among them. */
static inline void gate_floats(const honed_gate *g, float *y, int64_t n) {
  enum { at_once = 4 };
  if (g->kind == HONED_GATE_NONE) return;
  const honed_gate gate = *g;
  int64_t i = 0;
  for (; i + at_once * VF_LANES <= n; i += at_once * VF_LANES) {
    vf t[at_once];
    HONED_UNROLL4(j, t[j] = vf_load(y + i + j * VF_LANES);)
    gate_vectors(&gate, t, at_once);
    HONED_UNROLL4(j, vf_store(y + i + j * VF_LANES, t[j]);)
  }
  for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, gate_vector(&gate, vf_load(y + i)));
  if (i < n) vf_store_part(y + i, gate_vector(&gate, vf_load_part(y + i, n - i)), n - i);
}

#endif
