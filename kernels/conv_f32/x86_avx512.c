#include "base/unroll.h"
#include "base/x86_floats_avx512.h"
#include "conv_f32.h"

#define TILE_ROWS 8
#define TILE_VECTORS 3
typedef honed_conv_f32 params;
typedef floats sums;
typedef floats pixels;
typedef floats factors;

static inline sums sums_init(const params *p, int64_t oc) { return floats_set1(p->output.bias[oc]); }
static inline pixels pixels_load(const void *p) { return floats_load(p); }
static inline factors factors_load(const void *w) { return floats_set1(*(const float *)w); }
static inline sums sums_add(sums acc, pixels a, factors b) { return floats_fma(b, a, acc); }

static inline void sums_store(const params *p, int64_t oc, const sums *acc, int vectors, const void *residual, uint64_t valid,
                              const honed_tensor *y, void *out) {
  (void)oc;
  (void)y;
  const floats lo = floats_set1(p->output.clamp_lo), hi = floats_set1(p->output.clamp_hi);
  HONED_UNROLL3(
      v, if (v < vectors) {
        const floats sum = residual == NULL ? acc[v] : floats_add(acc[v], floats_load((const float *)residual + v * FLOATS));
        floats_store((float *)out + v * FLOATS, floats_keep(valid >> v * FLOATS, floats_clamp(sum, lo, hi)));
      })
}

#include "generic.h"

void honed_conv_f32_8x3__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
