/* The products of two channels in bf16. Include a base/x86_bf16_*.h first. */
#include "base/x86_flush.h"
#include "conv_bf16.h"

#define UNIT_CHANNELS 2
typedef pairs inputs;
typedef pairs factors;
typedef pairs8 input8;
typedef pairs8 factors8;

static inline inputs inputs_load(const float *p) { return pairs_load(p); }
static inline factors factors_load(const float *p) { return pairs_set1(p); }
static inline floats sums_add(floats sum, inputs x, factors w) { return pairs_add(sum, x, w); }
static inline input8 input8_load(const float *p) { return pairs8_set1(p); }
static inline factors8 factors8_load(const float *p) { return pairs8_load(p); }
static inline __m256 sums8_add(__m256 sum, input8 x, factors8 w) { return pairs8_add(sum, x, w); }
static inline void units_store(float *out, const float *first, const float *second) {
  floats_store(out, pairs_make(floats_load(first), floats_load(second)));
}

#include "conv/float_band.h"

ALWAYS void run_flushed(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const unsigned before = honed_flush_begin();
  run_tasks(call, scratch, begin, end);
  honed_flush_end(before);
}
