#include "base/simd_avx512.h"
#include "lookup.h"

typedef struct quarters {
  __m512i q[4]; /* the table */
} quarters;

/* Two permutations look the low seven bits up in either half of the table; the top bit chooses. */
static inline vb lookup(const quarters *table, vb x) {
  const vb low = _mm512_permutex2var_epi8(table->q[0], x, table->q[1]);
  const vb high = _mm512_permutex2var_epi8(table->q[2], x, table->q[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

static void lookup_span(const void *params, const void *const *in, void *out, int64_t n) {
  const uint8_t *entries = ((const honed_lookup_params *)params)->table, *x = in[0];
  const quarters table = {{vb_load(entries), vb_load(entries + 64), vb_load(entries + 128), vb_load(entries + 192)}};
  uint8_t *y = out;
  int64_t i = 0;
  for (; i + VB_LANES <= n; i += VB_LANES) vb_store(y + i, lookup(&table, vb_load(x + i)));
  if (i < n) vb_store_part(y + i, lookup(&table, vb_load_part(x + i, n - i)), n - i);
}

#define HONED_VARIANT avx512vbmi
#include "generic.h"
