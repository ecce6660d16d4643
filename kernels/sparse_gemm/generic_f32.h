#include <math.h>

#include "base/variant.h"
#include "sparse_gemm_f32.h"

typedef honed_sparse_gemm_f32 gemm_params;
typedef float input, weight, number;
typedef vf numbers;

static inline float multiply_add(float w, float x, float sum) { return fmaf(w, x, sum); }
static inline vf set_all(float value) { return vf_set1(value); }
static inline vf load_all(const float *p) { return vf_load(p); }
static inline void store_all(float *p, vf v) { vf_store(p, v); }
static inline vf multiply_add_all(vf w, vf x, vf sum) { return vf_fma(w, x, sum); }

static inline float start(const gemm_params *p, int64_t n) { return p->bias[n]; }

static inline void finish(const honed_call *call, int64_t m, int64_t n, float sum) {
  const gemm_params *p = call->params;
  ((float *)call->outputs[0]->data)[m * p->shape.n + n] = sum < p->lo ? p->lo : sum > p->hi ? p->hi : sum;
}

#include "generic.h"

void HONED_VARIANT_SYMBOL(honed_sparse_gemm_f32)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run(call, scratch, begin, end);
}
