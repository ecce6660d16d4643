#include "conv/products_avx512vnni.h"

#define POINTWISE_ROWS 4
#include "pointwise.h"

void honed_conv_u8s8_pointwise__avx512vnni(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  pointwise_run_tasks(call, scratch, begin, end);
}
