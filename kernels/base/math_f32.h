/* Elementary functions of float vectors; include after one of the simd headers. Each gives the same bits in every variant.
 *
 * The method is the classical one (J.-M. Muller, Elementary Functions, chapters 3, 4 and 11; W. Cody and W. Waite, Software Manual for the
 * Elementary Functions, 1980): the argument is reduced to a small interval with a constant split in parts, where a polynomial
 * that was fitted to the function there for the least largest relative error, coefficients rounded to float, is evaluated with
 * fused multiply-adds. Bounds in ulp of the result, over all floats:
 *
 *   vf_exp 1, subnormal results included    vf_log 1    vf_sin, vf_cos 1.6 (beyond 2^15 the C library's)    vf_erf 1.2
 *   vf_expm1_negative 1 (x <= 0)            vf_tanh 1.4             vf_sigmoid 2.5             vf_softplus 2
 *
 * NaN gives NaN; infinities and signed zeros give the limits. */
#ifndef HONED_BASE_MATH_F32_H
#define HONED_BASE_MATH_F32_H

#include <float.h>
#include <math.h>

#include "unroll.h"

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1). */
static inline __attribute__((always_inline)) vf vf_polynomial(vf x, const float *c, int n) {
  vf sum = vf_set1(c[n - 1]);
  for (int i = n - 2; i >= 0; i--) sum = vf_fma(sum, x, vf_set1(c[i]));
  return sum;
}

static inline vf vf_abs(vf x) { return vi_bits(vi_and(vf_bits(x), vi_set1(INT32_MAX))); }
static inline vf vf_neg(vf x) { return vi_bits(vi_xor(vf_bits(x), vi_set1(INT32_MIN))); }
/* x >= 0 with the sign of `sign`. */
static inline vf vf_with_sign(vf x, vf sign) { return vi_bits(vi_or(vf_bits(x), vi_and(vf_bits(sign), vi_set1(INT32_MIN)))); }
/* Between finite bounds; NaN stays. */
static inline vf vf_clamp(vf x, float lo, float hi) { return vf_min(vf_set1(hi), vf_max(vf_set1(lo), x)); }

/* 2^n for a normal result. */
static inline vf vf_power_of_two(vi n) { return vi_bits(vi_shl(vi_add(n, vi_set1(127)), 23)); }

/* x = n ln 2 + r with |r| <= ln 2 / 2; returns exp(r) - 1. */
static inline vf vf_exp_reduced(vf x, vf *n) {
  static const float p[] = {0.5f, 0x1.555554p-3f, 0x1.5554f8p-5f, 0x1.1112d8p-7f, 0x1.6d3a4ep-10f, 0x1.9e735ap-13f};
  *n = vf_rint(vf_mul(x, vf_set1(0x1.715476p+0f)));
  vf r = vf_fma(*n, vf_set1(-0x1.62e4p-1f), x);
  r = vf_fma(*n, vf_set1(-0x1.7f7d1cp-20f), r);
  return vf_fma(vf_mul(r, r), vf_polynomial(r, p, 6), r);
}

static inline vf vf_exp(vf x) {
  vf n;
  const vf y = vf_add(vf_set1(1.0f), vf_exp_reduced(vf_clamp(x, -104.0f, 89.0f), &n));
  /* Twice half the power: the result may be subnormal or overflow where each factor is normal. */
  const vi power = vi_from_vf(n), half = vi_sar(power, 1);
  return vf_mul(vf_mul(y, vf_power_of_two(half)), vf_power_of_two(vi_sub(power, half)));
}

/* exp(x) - 1 for x <= 0. */
static inline vf vf_expm1_negative(vf x) {
  vf n;
  const vf y = vf_exp_reduced(vf_max(vf_set1(-25.0f), x), &n);
  const vf scale = vf_power_of_two(vi_from_vf(n));
  return vf_fma(scale, y, vf_sub(scale, vf_set1(1.0f)));
}

/* x = 2^k m with m in [sqrt(1/2), sqrt(2)); log(m) from m - 1. */
static inline vf vf_log(vf x) {
  static const float p[] = {0x1.555548p-2f,  -0x1.000006p-2f, 0x1.99a478p-3f,  -0x1.555c4ap-3f, 0x1.233b68p-3f,
                            -0x1.fc2740p-4f, 0x1.e6c298p-4f,  -0x1.de0e4cp-4f, 0x1.147cbep-4f};
  const vm subnormal = vf_lt(x, vf_set1(FLT_MIN));
  const vi bits = vf_bits(vf_select(subnormal, vf_mul(x, vf_set1(0x1p25f)), x));
  const vi power = vi_sar(vi_sub(bits, vi_set1(0x3f3504f3)), 23);
  const vf k = vf_sub(vf_from_vi(power), vf_select(subnormal, vf_set1(25.0f), vf_set1(0.0f)));
  const vf f = vf_sub(vi_bits(vi_sub(bits, vi_shl(power, 23))), vf_set1(1.0f));
  const vf square = vf_mul(f, f);
  vf tail = vf_fma(vf_mul(f, square), vf_polynomial(f, p, 9), vf_mul(k, vf_set1(0x1.7f7d1cp-20f)));
  tail = vf_fma(square, vf_set1(-0.5f), tail);
  const vf y = vf_fma(k, vf_set1(0x1.62e4p-1f), vf_add(f, tail));
  const vf finite = vf_select(vf_lt(x, vf_set1(INFINITY)), y, x);
  const vf positive = vf_select(vf_eq(x, vf_set1(0.0f)), vf_set1(-INFINITY), finite);
  return vf_select(vf_lt(x, vf_set1(0.0f)), vf_set1(NAN), positive);
}

static inline vf vf_tanh(vf x) {
  static const float p[] = {-0x1.555554p-2f, 0x1.111076p-3f, -0x1.b9f04ap-5f, 0x1.639470p-6f, -0x1.0bffbep-7f, 0x1.18ab78p-9f};
  const vf a = vf_abs(x), square = vf_mul(a, a);
  const vf small = vf_fma(vf_mul(a, square), vf_polynomial(square, p, 6), a);
  const vf e = vf_exp(vf_mul(vf_set1(2.0f), vf_min(vf_set1(10.0f), a)));
  const vf large = vf_sub(vf_set1(1.0f), vf_div(vf_set1(2.0f), vf_add(e, vf_set1(1.0f))));
  return vf_with_sign(vf_select(vf_lt(a, vf_set1(0.625f)), small, large), x);
}

static inline vf vf_sigmoid(vf x) {
  const vf e = vf_exp(vf_neg(vf_abs(x))), one = vf_set1(1.0f);
  return vf_div(vf_select(vf_lt(x, vf_set1(0.0f)), e, one), vf_add(one, e));
}

/* sigmoid(scale a) = 1 / (1 + 2^(slope a)), scale >= 0; the powers of arguments up to the limit are normal numbers. */
static inline float vf_sigmoid_slope(float scale) { return scale * -0x1.715476p+0f; }
static inline float vf_sigmoid_limit(float slope) { return fminf(126.5f / fabsf(slope), FLT_MAX); }

/* Between -limit and limit, the sign of NaN notwithstanding. By integers, whose units are idle where floats are converted and added:
 * positive floats have the order of their bits; negative ones are below them as integers, and above as unsigned ones, turned around. */
static inline vf vf_within(vf x, float limit) {
  return vi_bits(vi_min_unsigned(vi_min(vf_bits(x), vf_bits(vf_set1(limit))), vf_bits(vf_set1(-limit))));
}

/* x[j] sigmoid(scale a[j]) for j < n, a constant; x and a have one sign, and |a| >= |x|. The absolute error is at most 1.2e-7 |x| + 1e-36 /
 * scale. x / (1 + 2^u), u = slope a = i + r with |r| <= 1/2, as a sum with 1.5 * 2^23 has no bits behind the point, and i in its low ones.
 * Step by step for all n, since each one's steps wait for each other. */
ALWAYS void vf_times_sigmoids(vf x[], const vf a[], int n, float slope, float limit) {
  static const float p[] = {1.0f, 0x1.62e42ap-1f, 0x1.ebf9bcp-3f, 0x1.c6b752p-5f, 0x1.3cea88p-7f, 0x1.5bba14p-10f};
  const vf integers = vf_set1(12582912.0f), one = vf_set1(1.0f), factor = vf_set1(slope);
  vf u[4], r[4], power[4];
#define EACH(...) HONED_UNROLL4(j, if (j < n) { __VA_ARGS__; })
  EACH(r[j] = vf_within(a[j], limit))
  EACH(u[j] = vf_fma(r[j], factor, integers))
  EACH(r[j] = vf_fma(r[j], factor, vf_sub(integers, u[j])))
  EACH(power[j] = vf_fma(vf_set1(p[5]), r[j], vf_set1(p[4])))
  EACH(power[j] = vf_fma(power[j], r[j], vf_set1(p[3])))
  EACH(power[j] = vf_fma(power[j], r[j], vf_set1(p[2])))
  EACH(power[j] = vf_fma(power[j], r[j], vf_set1(p[1])))
  EACH(power[j] = vf_fma(power[j], r[j], vf_set1(p[0])))
  EACH(power[j] = vi_bits(vi_add(vf_bits(power[j]), vi_shl(vf_bits(u[j]), 23))))
  EACH(x[j] = vf_div(vf_max(vf_set1(-limit), x[j]), vf_add(one, power[j])))
#undef EACH
}

static inline vf vf_times_sigmoid(vf x, vf a, float slope) {
  vf y[1] = {x};
  const vf argument[1] = {a};
  vf_times_sigmoids(y, argument, 1, slope, vf_sigmoid_limit(slope));
  return y[0];
}

/* log(1 + exp(x)) = max(x, 0) + log(1 + e), e = exp(-|x|); the second with Kahan's correction for the rounding of 1 + e. */
static inline vf vf_softplus(vf x) {
  const vf e = vf_exp(vf_neg(vf_abs(x))), one = vf_set1(1.0f), u = vf_add(one, e);
  const vf log1p = vf_sub(vf_log(u), vf_div(vf_sub(vf_sub(u, one), e), u));
  return vf_add(vf_max(vf_set1(0.0f), x), log1p);
}

/* Near 0 a polynomial; else 1 - exp(-g(|x|)), g = -log(erfc) being close to a parabola. */
static inline vf vf_erf(vf x) {
  static const float near[] = {0x1.06eba8p-3f, -0x1.812740p-2f,  0x1.ce2d64p-4f, -0x1.b8011ap-6f,
                               0x1.544a1ap-8f, -0x1.a60a2ep-11f, 0x1.4f6760p-14f};
  static const float far[] = {-0x1.6e5706p-13f, 0x1.2127e4p+0f, 0x1.44460cp-1f,   0x1.bb83dap-4f,
                              -0x1.9b8e32p-6f,  0x1.1159eep-8f, -0x1.c78c7ep-12f, 0x1.61e164p-16f};
  const vf a = vf_abs(x), capped = vf_min(vf_set1(3.95f), a);
  const vf small = vf_fma(a, vf_polynomial(vf_mul(a, a), near, 7), a);
  const vf large = vf_sub(vf_set1(1.0f), vf_exp(vf_neg(vf_polynomial(capped, far, 8))));
  return vf_with_sign(vf_select(vf_lt(a, vf_set1(0.925f)), small, large), x);
}

/* sin(x + quarter * pi / 2) for |x| <= 2^15: x = n pi / 2 + r. */
static inline vf vf_sin_reduced(vf x, int quarter) {
  static const float s[] = {-0x1.555556p-3f, 0x1.111174p-7f, -0x1.a0595ep-13f, 0x1.7c3324p-19f};
  static const float c[] = {0x1.55554ap-5f, -0x1.6c0c2ap-10f, 0x1.99e90cp-16f};
  const vf n = vf_rint(vf_mul(x, vf_set1(0x1.45f306p-1f)));
  vf r = vf_fma(n, vf_set1(-0x1.921fb6p+0f), x);
  r = vf_fma(n, vf_set1(0x1.777a5cp-25f), r);
  r = vf_fma(n, vf_set1(0x1.ee59dap-50f), r);
  const vf square = vf_mul(r, r);
  const vf sine = vf_fma(vf_mul(r, square), vf_polynomial(square, s, 4), r);
  const vf half = vf_fma(square, vf_set1(-0.5f), vf_set1(1.0f));
  const vf cosine = vf_fma(vf_mul(square, square), vf_polynomial(square, c, 3), half);
  const vi quadrant = vi_add(vi_from_vf(n), vi_set1(quarter));
  const vf y = vf_select(vi_eq(vi_and(quadrant, vi_set1(1)), vi_set1(0)), sine, cosine);
  return vi_bits(vi_xor(vf_bits(y), vi_shl(vi_and(quadrant, vi_set1(2)), 30)));
}

static inline vf vf_sin_of(vf x, int quarter, float (*library)(float)) {
  const vf near = vf_sin_reduced(x, quarter);
  const vm large = vf_lt(vf_set1(32768.0f), vf_abs(x));
  if (!vm_any(large)) return near;
  float lanes[VF_LANES];
  vf_store(lanes, x);
  for (int i = 0; i < VF_LANES; i++) lanes[i] = library(lanes[i]);
  return vf_select(large, vf_load(lanes), near);
}

static inline vf vf_sin(vf x) { return vf_sin_of(x, 0, sinf); }
static inline vf vf_cos(vf x) { return vf_sin_of(x, 1, cosf); }

#endif
