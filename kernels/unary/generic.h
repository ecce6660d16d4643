#include "base/variant.h"
#include "functions.h"
#include "unary.h"

#define HONED_UNARY_FUNCTION(code, name, alpha_default, beta_default)                                                        \
  static void name##_span(const void *params, const void *const *in, void *out, int64_t n) {                                 \
    const float a = ((const honed_unary_params *)params)->alpha, b = ((const honed_unary_params *)params)->beta, *x = in[0]; \
    float *y = out;                                                                                                          \
    int64_t i = 0;                                                                                                           \
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, unary_##name(vf_load(x + i), a, b));                            \
    if (i < n) vf_store_part(y + i, unary_##name(vf_load_part(x + i, n - i), a, b), n - i);                                  \
  }
#include "functions.inc"
#undef HONED_UNARY_FUNCTION

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_unary_kernels)[HONED_UNARY_FUNCTIONS] = {
#define HONED_UNARY_FUNCTION(code, name, alpha, beta) [code] = {HONED_VARIANT_TEXT(honed_unary_f32_##name), name##_span},
#include "functions.inc"
#undef HONED_UNARY_FUNCTION
};
