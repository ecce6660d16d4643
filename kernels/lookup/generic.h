/* Before: lookup_span, a honed_span. */
#include "base/variant.h"
#include "lookup.h"

static void shift_span(const void *params, const void *const *in, void *out, int64_t n) {
  (void)params;
  const uint8_t *x = in[0];
  uint8_t *y = out;
  const vb top = vb_set1(0x80);
  int64_t i = 0;
  for (; i + VB_LANES <= n; i += VB_LANES) vb_store(y + i, vb_xor(vb_load(x + i), top));
  if (i < n) vb_store_part(y + i, vb_xor(vb_load_part(x + i, n - i), top), n - i);
}

const honed_span_kernel HONED_VARIANT_SYMBOL(honed_lookup_kernels)[HONED_LOOKUP_FUNCTIONS] = {
    [HONED_LOOKUP] = {HONED_VARIANT_TEXT(honed_lookup_u8), lookup_span},
    [HONED_SHIFT] = {HONED_VARIANT_TEXT(honed_shift_u8), shift_span},
};
