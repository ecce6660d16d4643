/* 16 pixels are two registers. */
#include "base/x86_floats_avx2.h"
#include "conv_f32.h"

#define TILE_ROWS 4
#define TILE_VECTORS 1
typedef honed_conv_f32 params;
typedef struct sums {
  floats lo, hi;
} sums;
typedef sums pixels;
typedef floats factors;

static inline sums sums_init(const params *p, int64_t oc) {
  const floats bias = floats_set1(p->output.bias[oc]);
  return (sums){bias, bias};
}
static inline pixels pixels_load(const void *p) { return (pixels){floats_load(p), floats_load((const float *)p + 8)}; }
static inline factors factors_load(const void *w) { return floats_set1(*(const float *)w); }
static inline sums sums_add(sums acc, pixels a, factors b) { return (sums){floats_fma(b, a.lo, acc.lo), floats_fma(b, a.hi, acc.hi)}; }

static inline void store_8(const params *p, floats sum, const float *residual, uint32_t valid, float *out) {
  if (residual != NULL) sum = floats_add(sum, floats_load(residual));
  floats_store(out, floats_keep(valid, floats_clamp(sum, floats_set1(p->output.clamp_lo), floats_set1(p->output.clamp_hi))));
}

static inline void sums_store(const params *p, int64_t oc, const sums *acc, int vectors, const void *residual, uint64_t valid,
                              const honed_tensor *y, void *out) {
  (void)oc;
  (void)y;
  (void)vectors;
  store_8(p, acc->lo, residual, (uint32_t)valid, out);
  store_8(p, acc->hi, residual == NULL ? NULL : (const float *)residual + 8, (uint32_t)(valid >> 8), (float *)out + 8);
}

#include "generic.h"

void honed_conv_f32_4x1__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
