/* The requantisation of one vector of pixels of one output channel, for the vector types of base/x86_bytes_*.h (include one of them first).
 */
#ifndef HONED_CONV_REQUANTIZE_BYTES_H
#define HONED_CONV_REQUANTIZE_BYTES_H

#include "base/unroll.h"
#include "requantize.h"
#include "gate_vector.h"

/* The sum of a result and a residual, before it is rounded. */
ALWAYS floats requantize_sum(const honed_requantize *r, floats q, floats residual) {
  const floats sum_scale = floats_set1(r->sum_scale), residual_scale = floats_set1(r->residual_scale),
               sum_offset = floats_set1(r->sum_offset);
  const floats sum = r->residual_first ? floats_fma(residual, residual_scale, floats_fma(q, sum_scale, sum_offset))
                                       : floats_fma(q, sum_scale, floats_fma(residual, residual_scale, sum_offset));
  return r->sum_saturates ? sum : floats_clamp(sum, floats_set1(r->sum_lo), floats_set1(r->sum_hi));
}

/* The same of a result that is neither clamped nor rounded yet, less the zero point.
 *
 * A sum with 1.5 * 2^23 has no bits behind the point, and the bits of such sums are in order as integers, too. Products with one make
 * additions of fused ones, and integers are clamped: both on units that are idle here, where floats are converted, clamped and added on
 * two of the four (Zen 4: 27 cycles for 64 pixels; 29 with a clamp of floats, 32 with additions as well). */
ALWAYS floats requantize_residual(const honed_requantize *r, floats t, floats residual) {
  const float integers = HONED_REQUANTIZE_INTEGERS;
  const floats one = floats_set1_opaque(1.0f);
  const ints rounded = floats_bits(floats_fma(t, one, floats_set1(integers)));
  const floats q = bits_floats(ints_clamp(rounded, ints_set1(r->rounded_lo), ints_set1(r->rounded_hi)));
  return requantize_sum(r, floats_fma(q, one, floats_set1((float)r->zero_point - integers)), residual);
}

/* Results of sums before they are rounded, each with its scale and offset. */
ALWAYS floats requantize_real(const honed_requantize *r, ints acc, floats scale, floats offset) {
  const floats t = floats_fma(ints_to_floats(acc), scale, offset);
  return floats_clamp(r->gate.kind == HONED_GATE_NONE ? t : gate_vector(&r->gate, t), floats_set1(r->clamp_lo), floats_set1(r->clamp_hi));
}

/* n vectors of sums, a constant up to 4, to their rounded results, with an activation, for a pack that saturates: that is the clamp where
 * r->saturates, since a gate makes nothing larger. Vectors 0 and 2 have scale[0], the others scale[1]. */
ALWAYS void requantize_gated_ints(const honed_requantize *r, const floats scale[2], const floats offset[2], const ints acc[], int n,
                                  ints q[]) {
  floats t[4];
  HONED_UNROLL4(j, if (j < n) t[j] = floats_fma(ints_to_floats(acc[j]), scale[j % 2], offset[j % 2]);)
  gate_vectors(&r->gate, t, n);
  if (r->saturates) {
    HONED_UNROLL4(j, if (j < n) q[j] = floats_to_ints(t[j]);)
  } else {
    const floats lo = floats_set1(r->clamp_lo), hi = floats_set1(r->clamp_hi);
    HONED_UNROLL4(j, if (j < n) q[j] = floats_to_ints(floats_clamp(t[j], lo, hi));)
  }
}

/* Out of line, since an activation has constants of its own. */
static __attribute__((noinline, unused)) bytes requantize_gated_bytes(const honed_requantize *r, const floats scale[2],
                                                                      const floats offset[2], const ints acc[4]) {
  ints q[4];
  requantize_gated_ints(r, scale, offset, acc, 4, q);
  return bytes_pack(q, r->zero_point);
}

/* `acc` in split order. */
ALWAYS bytes requantize_bytes(const honed_requantize *r, int64_t oc, const ints acc[4]) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  if (r->gate.kind != HONED_GATE_NONE) return requantize_gated_bytes(r, (floats[2]){scale, scale}, (floats[2]){offset, offset}, acc);
  const floats lo = floats_set1(r->clamp_lo), hi = floats_set1(r->clamp_hi);
  ints q[4];
  if (r->saturates) {
    HONED_UNROLL4(j, q[j] = floats_to_ints(floats_fma(ints_to_floats(acc[j]), scale, offset));)
    return bytes_pack(q, r->zero_point);
  }
  HONED_UNROLL4(j, q[j] = floats_to_ints(floats_clamp(floats_fma(ints_to_floats(acc[j]), scale, offset), lo, hi));)
  return bytes_pack(q, r->zero_point);
}

ALWAYS bytes requantize_sum_bytes(const honed_requantize *r, int64_t oc, const ints acc[4], bytes residual) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  ints wide[4], y[4];
  bytes_widen(residual, wide);
  HONED_UNROLL4(j, {
    const floats t = floats_fma(ints_to_floats(acc[j]), scale, offset);
    y[j] = floats_to_ints(requantize_residual(r, t, ints_to_floats(wide[j])));
  })
  return bytes_pack(y, 0);
}

/* Stores PIXELS floats in pixel order, 0 where the bit of `valid` is clear. */
static __attribute__((noinline, unused)) void requantize_store_f32(const honed_requantize *r, int64_t oc, const ints acc[4], uint64_t valid,
                                                                   float *out) {
  const floats scale = floats_set1(r->scale[oc]), offset = floats_set1(r->offset[oc]);
  floats y[4];
  HONED_UNROLL4(j, y[j] = requantize_real(r, acc[j], scale, offset);)
  floats_join(y);
  HONED_UNROLL4(j, floats_store(out + j * PIXELS / 4, floats_where(valid >> (j * PIXELS / 4), y[j]));)
}

#endif
