/* The products of one channel in f32. Include a base/x86_floats_*.h first. */
#include "conv_f32.h"

#define UNIT_CHANNELS 1
typedef floats inputs;
typedef floats factors;
typedef __m256 input8;
typedef __m256 factors8;

static inline inputs inputs_load(const float *p) { return floats_load(p); }
static inline factors factors_load(const float *p) { return floats_set1(*p); }
static inline floats sums_add(floats sum, inputs x, factors w) { return floats_fma(w, x, sum); }
static inline input8 input8_load(const float *p) { return _mm256_broadcast_ss(p); }
static inline factors8 factors8_load(const float *p) { return _mm256_loadu_ps(p); }
static inline __m256 sums8_add(__m256 sum, input8 x, factors8 w) { return _mm256_fmadd_ps(w, x, sum); }
static inline void units_store(float *out, const float *first, const float *second) {
  (void)second;
  floats_store(out, floats_load(first));
}

#include "conv/float_band.h"
