#include "base/variant.h"
#include "quantize.h"

static inline vi quantize(const honed_quantize_params *p, vf x) {
  const vf q = vf_rint(vf_div(x, vf_set1(p->scale)));
  const vf clamped = vf_min(vf_max(q, vf_set1(p->lo)), vf_set1(p->hi));
  return vi_add(vi_from_vf(clamped), vi_set1(p->zero_point));
}

static inline vf dequantize(const honed_quantize_params *p, vi x) {
  return vf_mul(vf_from_vi(vi_sub(x, vi_set1(p->zero_point))), vf_set1(p->scale));
}

static void quantize_span(const void *params, const void *const *in, void *out, int64_t n) {
  const float *x = in[0];
  uint8_t *y = out;
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) vi_store_byte(y + i, quantize(params, vf_load(x + i)));
  if (i < n) vi_store_byte_part(y + i, quantize(params, vf_load_part(x + i, n - i)), n - i);
}

#define DEQUANTIZE_SPAN(name, type, load)                                                      \
  static void name(const void *params, const void *const *in, void *out, int64_t n) {          \
    const type *x = in[0];                                                                     \
    float *y = out;                                                                            \
    int64_t i = 0;                                                                             \
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store(y + i, dequantize(params, load(x + i))); \
    if (i < n) vf_store_part(y + i, dequantize(params, load##_part(x + i, n - i)), n - i);     \
  }

DEQUANTIZE_SPAN(dequantize_u8_span, uint8_t, vi_load_u8)
DEQUANTIZE_SPAN(dequantize_s8_span, int8_t, vi_load_s8)
DEQUANTIZE_SPAN(dequantize_s32_span, int32_t, vi_load)

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_quantize_kernels)[HONED_QUANTIZE_FUNCTIONS] = {
    [HONED_QUANTIZE] = {HONED_VARIANT_TEXT(honed_quantize), quantize_span},
    [HONED_DEQUANTIZE_U8] = {HONED_VARIANT_TEXT(honed_dequantize_u8), dequantize_u8_span},
    [HONED_DEQUANTIZE_S8] = {HONED_VARIANT_TEXT(honed_dequantize_s8), dequantize_s8_span},
    [HONED_DEQUANTIZE_S32] = {HONED_VARIANT_TEXT(honed_dequantize_s32), dequantize_s32_span},
};
