#include "base/simd_avx2.h"
#include "whole.h"

void honed_depthwise_f32_whole__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
