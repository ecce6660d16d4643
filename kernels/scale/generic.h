/* TABULATE_FROM, where lookup_bytes is there: so many elements with one b are worth a table of all 256 results. */
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

static void multiply_by_one(const honed_scale_params *p, const uint8_t *a, vf factor, uint8_t *y, int64_t n) {
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) vi_store_byte(y + i, multiply(p, vi_load_u8(a + i), factor));
  if (i < n) vi_store_byte_part(y + i, multiply(p, vi_load_u8_part(a + i, n - i), factor), n - i);
}

static void scale_by_one_span(const void *params, const void *const *in, void *out, int64_t n) {
  const honed_scale_params *p = params;
  const vf factor = vf_mul(vf_set1(*(const float *)in[1]), vf_set1(p->scale));
#ifdef TABULATE_FROM
  if (n >= TABULATE_FROM) {
#define FOUR(i) i, i + 1, i + 2, i + 3
#define SIXTEEN(i) FOUR(i), FOUR(i + 4), FOUR(i + 8), FOUR(i + 12)
#define SIXTY_FOUR(i) SIXTEEN(i), SIXTEEN(i + 16), SIXTEEN(i + 32), SIXTEEN(i + 48)
    static const uint8_t all[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};
    uint8_t table[256];
    multiply_by_one(p, all, factor, table, 256);
    lookup_bytes(table, in[0], out, n);
    return;
  }
#endif
  multiply_by_one(p, in[0], factor, out, n);
}

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_scale_kernels)[HONED_SCALE_KERNELS] = {
    {HONED_VARIANT_TEXT(honed_scale_u8), scale_span},
    {HONED_VARIANT_TEXT(honed_scale_u8), scale_by_one_span},
};
