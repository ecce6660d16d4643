#include "base/x86_bytes_avx512.h"
#include "pairs_products.h"

#define POINTWISE_ROWS 4
#include "pointwise.h"

void honed_conv_u8s8_pointwise__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  pointwise_run_tasks(call, scratch, begin, end);
}
