#include "base/x86_bf16_avx512.h"

#define TILE_ROWS 4
#define REST_OF_4 4
#define REST_OF_8 2
#include "generic.h"

void honed_conv_bf16_4x3__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_flushed(call, scratch, begin, end);
}
