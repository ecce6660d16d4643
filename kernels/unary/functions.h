/* The functions of functions.inc, each of a vector x and the attributes alpha (a) and beta (b). Include after a simd header. */
#ifndef HONED_UNARY_FUNCTIONS_H
#define HONED_UNARY_FUNCTIONS_H

#include "base/math_f32.h"

#define HONED_UNARY(name) static inline vf unary_##name(vf x, float a, float b)
#define HONED_UNUSED (void)a, (void)b

HONED_UNARY(abs) { return HONED_UNUSED, vf_abs(x); }
HONED_UNARY(neg) { return HONED_UNUSED, vf_neg(x); }
/* 1, -1, or x itself: zero or NaN. */
HONED_UNARY(sign) {
  HONED_UNUSED;
  const vf zero = vf_set1(0.0f);
  return vf_select(vf_lt(zero, x), vf_set1(1.0f), vf_select(vf_lt(x, zero), vf_set1(-1.0f), x));
}
HONED_UNARY(floor) { return HONED_UNUSED, vf_floor(x); }
HONED_UNARY(ceil) { return HONED_UNUSED, vf_ceil(x); }
HONED_UNARY(round) { return HONED_UNUSED, vf_rint(x); }
HONED_UNARY(sqrt) { return HONED_UNUSED, vf_sqrt(x); }
HONED_UNARY(reciprocal) { return HONED_UNUSED, vf_div(vf_set1(1.0f), x); }
HONED_UNARY(exp) { return HONED_UNUSED, vf_exp(x); }
HONED_UNARY(log) { return HONED_UNUSED, vf_log(x); }
HONED_UNARY(sin) { return HONED_UNUSED, vf_sin(x); }
HONED_UNARY(cos) { return HONED_UNUSED, vf_cos(x); }
HONED_UNARY(erf) { return HONED_UNUSED, vf_erf(x); }
HONED_UNARY(tanh) { return HONED_UNUSED, vf_tanh(x); }
HONED_UNARY(sigmoid) { return HONED_UNUSED, vf_sigmoid(x); }
HONED_UNARY(softplus) { return HONED_UNUSED, vf_softplus(x); }
/* x / (1 + |x|) */
HONED_UNARY(softsign) {
  HONED_UNUSED;
  const vf finite = vf_clamp(x, -FLT_MAX, FLT_MAX);
  return vf_div(finite, vf_add(vf_set1(1.0f), vf_abs(finite)));
}
HONED_UNARY(relu) { return HONED_UNUSED, vf_max(vf_set1(0.0f), x); }
/* x, below 0 a x */
HONED_UNARY(leaky_relu) { return (void)b, vf_select(vf_lt(x, vf_set1(0.0f)), vf_mul(x, vf_set1(a)), x); }
/* x where x > a, else 0 */
HONED_UNARY(thresholded_relu) { return (void)b, vf_select(vf_lt(vf_set1(a), x), x, vf_set1(0.0f)); }
HONED_UNARY(clip) { return vf_clamp(x, a, b); }
/* x, below 0 a (exp(x) - 1) */
HONED_UNARY(elu) {
  const vf zero = vf_set1(0.0f);
  return (void)b, vf_select(vf_lt(x, zero), vf_mul(vf_set1(a), vf_expm1_negative(vf_min(zero, x))), x);
}
/* b elu(x) */
HONED_UNARY(selu) { return vf_mul(vf_set1(b), unary_elu(x, a, 0.0f)); }
/* max(0, x) + min(0, a (exp(x / a) - 1)); a > 0 */
HONED_UNARY(celu) {
  const vf zero = vf_set1(0.0f), below = vf_div(vf_min(zero, x), vf_set1(a));
  return (void)b, vf_select(vf_lt(x, zero), vf_mul(vf_set1(a), vf_expm1_negative(below)), x);
}
/* max(0, min(1, a x + b)) */
HONED_UNARY(hard_sigmoid) { return vf_clamp(vf_fma(x, vf_set1(a), vf_set1(b)), 0.0f, 1.0f); }
/* x max(0, min(1, x / 6 + 1/2)) */
HONED_UNARY(hard_swish) { return HONED_UNUSED, vf_mul(vf_max(vf_set1(-FLT_MAX), x), unary_hard_sigmoid(x, 1.0f / 6.0f, 0.5f)); }
/* x sigmoid(a x) */
HONED_UNARY(silu) {
  if (a < 0.0f) return (void)b, vf_neg(vf_times_sigmoid(vf_neg(x), vf_neg(x), vf_sigmoid_slope(-a)));
  return (void)b, vf_times_sigmoid(x, x, vf_sigmoid_slope(a));
}
/* x (1 + erf(x / sqrt(2))) / 2 */
HONED_UNARY(gelu) {
  HONED_UNUSED;
  const vf finite = vf_max(vf_set1(-FLT_MAX), x), erf = vf_erf(vf_mul(x, vf_set1(0x1.6a09e6p-1f)));
  return vf_mul(vf_mul(vf_set1(0.5f), finite), vf_add(vf_set1(1.0f), erf));
}
/* x (1 + tanh(u)) / 2 = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3) */
HONED_UNARY(gelu_tanh) {
  HONED_UNUSED;
  const vf cubic = vf_fma(vf_mul(x, x), vf_set1(0.044715f), vf_set1(1.0f));
  const vf twice = vf_mul(vf_mul(vf_set1(0x1.988454p+0f), x), cubic);
  return vf_times_sigmoid(x, twice, vf_sigmoid_slope(1.0f));
}
/* x tanh(softplus(x)) = x n / (n + 2), n = e (e + 2), e = exp(x) */
HONED_UNARY(mish) {
  HONED_UNUSED;
  const vf e = vf_exp(vf_min(vf_set1(20.0f), x)), n = vf_mul(e, vf_add(e, vf_set1(2.0f)));
  return vf_mul(vf_max(vf_set1(-FLT_MAX), x), vf_div(n, vf_add(n, vf_set1(2.0f))));
}

#endif
