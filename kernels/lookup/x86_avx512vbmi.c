#include "base/x86_lookup_avx512vbmi.h"
#include "lookup.h"

static void lookup_span(const void *params, const void *const *in, void *out, int64_t n) {
  lookup_bytes(((const honed_lookup_params *)params)->table, in[0], out, n);
}

#define HONED_VARIANT avx512vbmi
#include "generic.h"
