#include "base/x86_vnni.h"
#include "tile_avx512.h"

#define TILE_ROWS 8
#define TILE_VECTORS 3
typedef __m512i pixels;
typedef __m512i factors;

static inline const int8_t *weights_of(const params *p) { return p->weights; }
static inline pixels pixels_load(const void *p) { return _mm512_loadu_si512(p); }
static inline factors factors_load(const void *w) { return _mm512_set1_epi32(*(const int32_t *)w); }
static inline sums sums_add(sums acc, pixels a, factors b) { return honed_dpbusd(acc, a, b); }

#include "generic.h"

void honed_conv_u8s8_8x3__avx512vnni(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
