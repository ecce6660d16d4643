/* unary_f32: y = f(x), element by element; the layouts are elementwise/elementwise.h's.
 *
 * `op` is a code of functions.inc, which also gives the functions' names and the defaults of `alpha` and `beta`. Formulas: functions.h;
 * accuracy: base/math_f32.h, and for hard_swish, silu, both gelu and mish an absolute error of at most 1.5e-7 |x|. The functions defined by
 * exp, log, tanh and erf give their limits at the infinities. */
#ifndef HONED_UNARY_H
#define HONED_UNARY_H

#include "elementwise/elementwise.h"

typedef struct honed_unary_params {
  honed_elementwise base;
  float alpha, beta;
} honed_unary_params;

enum {
#define HONED_UNARY_FUNCTION(code, name, alpha, beta) HONED_UNARY_##name = code,
#include "functions.inc"
#undef HONED_UNARY_FUNCTION
  HONED_UNARY_FUNCTIONS = 30
};

#define HONED_UNARY_VARIANT(isa, variant) extern const honed_span_kernel honed_unary_kernels__##variant[HONED_UNARY_FUNCTIONS];
#include "kernels.inc"
#undef HONED_UNARY_VARIANT

#endif
