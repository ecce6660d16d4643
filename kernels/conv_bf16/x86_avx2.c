#include "base/x86_bf16_avx2.h"

#define TILE_ROWS 2
#define REST_OF_4 2
#define REST_OF_8 1
#include "generic.h"

void honed_conv_bf16_2x3__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_flushed(call, scratch, begin, end);
}
