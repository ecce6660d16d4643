#include "conv/products_avx2.h"

enum { MAX_ROWS = 2 };
#define HALF_VECTORS 0

#include "generic.h"

void honed_sparse_conv_u8s8__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
