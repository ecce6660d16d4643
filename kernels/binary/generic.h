#include "base/math_f32.h"
#include "base/variant.h"
#include "binary.h"

#define HONED_BINARY_FUNCTION(code, name, value)                                                                           \
  static inline vf binary_##name(const honed_binary_params *p, vf a, vf b) { return vf_clamp(value, p->lo, p->hi); }       \
  static void name##_span(const void *params, const void *const *in, void *out, int64_t n) {                               \
    const float *a = in[0], *b = in[1];                                                                                    \
    float *y = out;                                                                                                        \
    int64_t i = 0;                                                                                                         \
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, binary_##name(params, vf_load(a + i), vf_load(b + i)));       \
    const int64_t rest = n - i;                                                                                            \
    if (rest > 0) vf_store_part(y + i, binary_##name(params, vf_load_part(a + i, rest), vf_load_part(b + i, rest)), rest); \
  }                                                                                                                        \
  static void name##_broadcast_span(const void *params, const void *const *in, void *out, int64_t n) {                     \
    const float *a = in[0];                                                                                                \
    const vf b = vf_set1(*(const float *)in[1]);                                                                           \
    float *y = out;                                                                                                        \
    int64_t i = 0;                                                                                                         \
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, binary_##name(params, vf_load(a + i), b));                    \
    if (i < n) vf_store_part(y + i, binary_##name(params, vf_load_part(a + i, n - i), b), n - i);                          \
  }
#include "functions.inc"
#undef HONED_BINARY_FUNCTION

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_binary_kernels)[2 * HONED_BINARY_FUNCTIONS] = {
#define HONED_BINARY_FUNCTION(code, name, value)                             \
  [2 * (code)] = {HONED_VARIANT_TEXT(honed_binary_f32_##name), name##_span}, \
       [2 * (code) + 1] = {HONED_VARIANT_TEXT(honed_binary_f32_##name##_broadcast), name##_broadcast_span},
#include "functions.inc"
#undef HONED_BINARY_FUNCTION
};
