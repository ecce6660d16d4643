#include "add.h"
#include "base/variant.h"

static inline vi add(const honed_add_params *p, vi a, vi b) {
  const vf inner = vf_fma(vf_from_vi(b), vf_set1(p->scale_b), vf_set1(p->offset));
  const vf sum = vf_fma(vf_from_vi(a), vf_set1(p->scale_a), inner);
  return vi_from_vf(vf_min(vf_max(sum, vf_set1(p->lo)), vf_set1(p->hi)));
}

static void add_span(const void *params, const void *const *in, void *out, int64_t n) {
  const uint8_t *a = in[0], *b = in[1];
  uint8_t *y = out;
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) vi_store_byte(y + i, add(params, vi_load_u8(a + i), vi_load_u8(b + i)));
  if (i < n) {
    const int64_t rest = n - i;
    vi_store_byte_part(y + i, add(params, vi_load_u8_part(a + i, rest), vi_load_u8_part(b + i, rest)), rest);
  }
}

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_add_kernels)[1] = {{HONED_VARIANT_TEXT(honed_add_u8), add_span}};
