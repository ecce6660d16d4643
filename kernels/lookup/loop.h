#include "lookup.h"

static void lookup_span(const void *params, const void *const *in, void *out, int64_t n) {
  const uint8_t *table = ((const honed_lookup_params *)params)->table, *x = in[0];
  uint8_t *y = out;
  for (int64_t i = 0; i < n; i++) y[i] = table[x[i]];
}
