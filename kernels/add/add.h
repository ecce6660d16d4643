/* add_u8: the sum of two quantised tensors (a residual connection), both planar or dense in any mixture, of one shape.
 *
 *   y = rint(clamp(fmaf(a, scale_a, fmaf(b, scale_b, offset)), clamp_lo, clamp_hi))
 *
 * scale_a = s_a / s_y, scale_b = s_b / s_y, offset = zp_y - zp_a * scale_a - zp_b * scale_b; 0 <= clamp_lo <= clamp_hi <= 255. */
#ifndef HONED_ADD_H
#define HONED_ADD_H

#include "elementwise/elementwise.h"

typedef struct honed_add_params {
  honed_elementwise base;
  float scale_a, scale_b, offset, lo, hi;
} honed_add_params;

#define HONED_ADD_VARIANT(isa, variant) extern const honed_span_kernel honed_add_kernels__##variant[1];
#include "kernels.inc"
#undef HONED_ADD_VARIANT

#endif
