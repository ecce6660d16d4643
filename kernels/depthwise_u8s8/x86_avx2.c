#include "conv/products_avx2.h"
#define PAIRS
#include "generic.h"

void honed_depthwise_u8s8__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
