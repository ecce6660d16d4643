#include "base/x86_bytes_avx2.h"
#include "pairs_products.h"

#define POINTWISE_ROWS 2
#include "pointwise.h"

void honed_conv_u8s8_pointwise__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  pointwise_run_tasks(call, scratch, begin, end);
}
