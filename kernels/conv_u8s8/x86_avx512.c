/* Without VNNI: pairs of products are added in 16 bits, which no pair of weights can overflow (conv/pairs.h). */
#include "base/x86_bytes_avx512.h"
#include "pairs_products.h"
#include "tile_avx512.h"

#define TILE_ROWS 8
#define TILE_VECTORS 2
typedef products pixels;

static inline pixels pixels_load(const void *p) { return _mm512_loadu_si512(p); }
static inline sums sums_add(sums acc, pixels a, factors b) { return products_add(acc, a, b); }

#include "generic.h"

void honed_conv_u8s8_8x2__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
