#include "base/variant.h"
#include "scale.h"

static inline vi multiply(const honed_scale_params *p, vi a, vf factor) {
  const vf product = vf_mul(vf_from_vi(vi_sub(a, vi_set1(p->zero_point))), factor);
  const vf clamped = vf_min(vf_max(product, vf_set1(p->lo)), vf_set1(p->hi));
  return vi_add(vi_from_vf(clamped), vi_set1(p->output_zero_point));
}

static void scale_span(const void *params, const void *const *in, void *out, int64_t n) {
  const honed_scale_params *p = params;
  const uint8_t *a = in[0];
  const float *b = in[1];
  uint8_t *y = out;
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) {
    vi_store_byte(y + i, multiply(p, vi_load_u8(a + i), vf_mul(vf_load(b + i), vf_set1(p->scale))));
  }
  if (i < n) {
    const int64_t rest = n - i;
    const vf factor = vf_mul(vf_load_part(b + i, rest), vf_set1(p->scale));
    vi_store_byte_part(y + i, multiply(p, vi_load_u8_part(a + i, rest), factor), rest);
  }
}

static void scale_by_one_span(const void *params, const void *const *in, void *out, int64_t n) {
  const honed_scale_params *p = params;
  const uint8_t *a = in[0];
  const vf factor = vf_mul(vf_set1(*(const float *)in[1]), vf_set1(p->scale));
  uint8_t *y = out;
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) vi_store_byte(y + i, multiply(p, vi_load_u8(a + i), factor));
  if (i < n) vi_store_byte_part(y + i, multiply(p, vi_load_u8_part(a + i, n - i), factor), n - i);
}

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_scale_kernels)[HONED_SCALE_KERNELS] = {
    {HONED_VARIANT_TEXT(honed_scale_u8), scale_span},
    {HONED_VARIANT_TEXT(honed_scale_u8), scale_by_one_span},
};
