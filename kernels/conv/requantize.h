/* From exact 32-bit sums to an output of a quantised convolution or Gemm.
 *
 *   u8:             q = rint(clamp(t, clamp_lo - zero_point, clamp_hi - zero_point)) + zero_point,  t = g(fmaf((float)acc, scale[oc],
 * offset[oc])) with residual:  y = rint(clamp(fmaf(q, sum_scale, fmaf(r, residual_scale, sum_offset)), sum_lo, sum_hi)) or, with
 * residual_first, ... fmaf(r, residual_scale, fmaf(q, sum_scale, sum_offset)) ... f32:            y = clamp(t, clamp_lo, clamp_hi)
 *
 * g is the identity or an activation (gate.h). acc starts from init[oc]. rint rounds ties to even; the zero point
 * joins behind it, as in ONNX's QuantizeLinear. A residual's result has the bits of the convolution followed by add_u8, whose first operand
 * it is with residual_first. */
#ifndef HONED_CONV_REQUANTIZE_H
#define HONED_CONV_REQUANTIZE_H

#include <math.h>

#include "gate.h"

/* 1.5 * 2^23: the floats around it, from 2^23 to 2^24, are the integers. */
#define HONED_REQUANTIZE_INTEGERS 12582912.0f

typedef struct honed_requantize {
  const int32_t *init; /* [out_channels] */
  const float *scale, *offset;
  int32_t zero_point;       /* 0 for f32 */
  float clamp_lo, clamp_hi; /* less the zero point */
  /* For outputs with a residual: the same, rounded, as bits of HONED_REQUANTIZE_INTEGERS + bound. */
  int32_t rounded_lo, rounded_hi;
  /* The clamp (of the sum) is [0, 255] and nothing can leave the range of s32: a conversion to s32 and a saturating pack do what the
   * clamp does. */
  bool saturates, sum_saturates, residual_first;
  honed_gate gate; /* none with a residual */
  float sum_scale, residual_scale, sum_offset, sum_lo, sum_hi;
} honed_requantize;

/* Reads the constants `first`, `first` + 1, `first` + 2 and the attributes (bounds as they are, zero point included); checks that every
 * bound of a u8 output lies in [0, 255]. */
honed_status honed_requantize_create(const honed_op_spec *spec, int first, int64_t out_channels, honed_requantize *out, honed_context *ctx);

static inline float honed_clampf(float value, float lo, float hi) {
  /* The order of operands is that of the vector instructions, so that NaN, too, ends up alike. */
  const float raised = value > lo ? value : lo;
  return raised < hi ? raised : hi;
}

static inline float honed_requantize_f32(const honed_requantize *r, int64_t oc, int32_t acc) {
  const float t = fmaf((float)acc, r->scale[oc], r->offset[oc]);
  return honed_clampf(r->gate.kind == HONED_GATE_NONE ? t : honed_gate_apply(&r->gate, t), r->clamp_lo, r->clamp_hi);
}

static inline uint8_t honed_requantize_u8(const honed_requantize *r, int64_t oc, int32_t acc) {
  return (uint8_t)(lrintf(honed_requantize_f32(r, oc, acc)) + r->zero_point);
}

static inline uint8_t honed_requantize_sum_u8(const honed_requantize *r, int64_t oc, int32_t acc, uint8_t residual) {
  const float q = (float)honed_requantize_u8(r, oc, acc);
  const float sum = r->residual_first ? fmaf((float)residual, r->residual_scale, fmaf(q, r->sum_scale, r->sum_offset))
                                      : fmaf(q, r->sum_scale, fmaf((float)residual, r->residual_scale, r->sum_offset));
  return (uint8_t)lrintf(honed_clampf(sum, r->sum_lo, r->sum_hi));
}

#endif
