#include "base/x86_bytes_avx512.h"
#include "base/x86_vnni.h"

enum { MAX_ROWS = 4 };
typedef ints products;
typedef ints factors;

static inline products products_make(ints quad) { return quad; }
static inline factors factors_load(const int8_t *w) { return _mm512_set1_epi32(*(const int32_t *)w); }
static inline ints products_add(ints acc, products a, factors b) { return honed_dpbusd(acc, a, b); }

#include "generic.h"

void honed_sparse_conv_u8s8__avx512vnni(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
