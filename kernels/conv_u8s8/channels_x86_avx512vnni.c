#include "conv/products_avx512vnni.h"

#define TILE_RUNS 2
#define RUN_MAX 7
#include "channels_avx512.h"

void honed_conv_u8s8_14x32__avx512vnni(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
