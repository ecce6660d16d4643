#include <math.h>

#include "conv_f32.h"

#define UNIT_CHANNELS 1

static inline float add_unit(float sum, const void *w, const float *x) { return fmaf(*(const float *)w, *x, sum); }
static inline float add_residual(float sum, float residual) { return sum + residual; }
static inline float stored(float y) { return y; }

#include "conv/float_scalar.h"

void honed_conv_f32__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
