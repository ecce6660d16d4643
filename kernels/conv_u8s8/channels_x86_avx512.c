#include "conv/products_avx512.h"

#define TILE_RUNS 1
#define RUN_MAX 7
#include "channels_avx512.h"

void honed_conv_u8s8_7x32__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
