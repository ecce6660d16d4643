#include "base/simd_scalar.h"
#include "whole.h"

void honed_depthwise_f32_whole__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
