/* binary_f32: y = clamp(a op b, clamp_lo, clamp_hi), element by element (elementwise/elementwise.h).
 *
 * a and b have one shape, or a is planar and b dense [N or 1, C or 1, 1, 1]: one number per plane. `op` is a code of functions.inc;
 * prelu is a, below 0 a b. clamp_lo = -inf, clamp_hi = +inf by default; NaN passes the clamp. Of max and min, NaN in either
 * operand gives b. */
#ifndef HONED_BINARY_H
#define HONED_BINARY_H

#include "elementwise/elementwise.h"

typedef struct honed_binary_params {
  honed_elementwise base;
  float lo, hi;
} honed_binary_params;

enum { HONED_BINARY_FUNCTIONS = 7 };

/* Kernel 2 * code is for two tensors of one shape, 2 * code + 1 for b of one element. */
#define HONED_BINARY_VARIANT(isa, variant) extern const honed_span_kernel honed_binary_kernels__##variant[2 * HONED_BINARY_FUNCTIONS];
#include "kernels.inc"
#undef HONED_BINARY_VARIANT

#endif
