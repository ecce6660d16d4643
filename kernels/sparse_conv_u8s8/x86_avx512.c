#include "conv/products_avx512.h"

enum { MAX_ROWS = 4 };
#define HALF_VECTORS 0

#include "generic.h"

void honed_sparse_conv_u8s8__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
