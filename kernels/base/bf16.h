/* Arithmetic of bfloat16 products with f32 sums, as x86's AVX512_BF16 defines it, in portable C.
 *
 * A bf16 number is the upper half of an f32. Throughout, a denormal number counts as zero of its sign, whether it is an operand or a result
 * (of which tininess is seen after rounding to 24 bits), and roundings go to the nearest, ties to even.
 *
 *   conversion          VCVTNE2PS2BF16: rounds an f32; NaN becomes a quiet NaN
 *   product of pairs    VDPBF16PS: sum <- sum + a[1] * b[1], rounded once, then sum <- sum + a[0] * b[0], rounded once
 *
 * Intel, "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 2, VCVTNE2PS2BF16 and VDPBF16PS. MXCSR has no say in
 * either; VFMADD231PS with MXCSR's DAZ and FTZ set, and rounding to nearest, gives the bits of half a VDPBF16PS. */
#ifndef HONED_BASE_BF16_H
#define HONED_BASE_BF16_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float honed_flush(float x) { return fabsf(x) < FLT_MIN ? copysignf(0.0f, x) : x; }

static inline uint16_t honed_bf16_from(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (isnan(x)) return (uint16_t)(bits >> 16 | 0x40);
  if (fabsf(x) < FLT_MIN) return (uint16_t)(bits >> 16 & 0x8000);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float honed_bf16_to(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float real;
  memcpy(&real, &bits, sizeof real);
  return real;
}

/* sum + a * b, rounded once. */
static inline float honed_bf16_add_product(float sum, uint16_t a, uint16_t b) {
  const float x = honed_flush(honed_bf16_to(a)), y = honed_flush(honed_bf16_to(b)), start = honed_flush(sum);
  const float rounded = fmaf(x, y, start);
  /* Of what rounds up to FLT_MIN as a denormal, the part that rounds below it with 24 bits is tiny. The double is exact there: a product
   * of two times 8 bits that brings a sum of 24 bits down to FLT_MIN lies within its 53. */
  const double exact = (double)x * (double)y + (double)start;
  return fabs(exact) < (double)FLT_MIN - 0x1p-151 ? copysignf(0.0f, rounded) : rounded;
}

/* sum + the products of two pairs. */
static inline float honed_bf16_add_pair(float sum, const uint16_t a[2], const uint16_t b[2]) {
  return honed_bf16_add_product(honed_bf16_add_product(sum, a[1], b[1]), a[0], b[0]);
}

#endif
