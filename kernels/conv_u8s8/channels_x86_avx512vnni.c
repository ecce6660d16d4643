#include "base/x86_vnni.h"
#include "channels_avx512.h"

#define TILE_RUNS 2
#define RUN_MAX 7
typedef __m512i factors;
typedef __m512i quads;

static inline factors factors_load(const void *w) { return _mm512_loadu_si512(w); }
static inline quads quads_load(const void *p) { return _mm512_set1_epi32(*(const int32_t *)p); }
static inline ints sums_add(ints acc, quads a, factors b) { return honed_dpbusd(acc, a, b); }

#include "channels_generic.h"

void honed_conv_u8s8_14x32__avx512vnni(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
