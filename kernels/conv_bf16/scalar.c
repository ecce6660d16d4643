#include "base/bf16.h"
#include "conv_bf16.h"

#define UNIT_CHANNELS 2

static inline float add_unit(float sum, const void *w, const float *x) {
  uint16_t weights[2];
  memcpy(weights, w, sizeof weights);
  return honed_bf16_add_pair(sum, weights, (const uint16_t[2]){honed_bf16_from(x[0]), honed_bf16_from(x[1])});
}
static inline float add_residual(float sum, float residual) { return honed_flush(sum + honed_flush(residual)); }
static inline float stored(float y) { return honed_flush(y); }

#include "conv/float_scalar.h"

void honed_conv_bf16__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
