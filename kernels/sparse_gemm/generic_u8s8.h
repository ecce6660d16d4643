#include "base/variant.h"
#include "sparse_gemm_u8s8.h"

typedef honed_sparse_gemm_u8s8 gemm_params;
typedef uint8_t input;
typedef int8_t weight;
typedef int32_t number;
typedef vi numbers;

/* Modulo 2^32. */
static inline int32_t multiply_add(int8_t w, uint8_t x, int32_t sum) { return (int32_t)((uint32_t)sum + (uint32_t)(w * x)); }
static inline vi set_all(int32_t value) { return vi_set1(value); }
static inline vi load_all(const int32_t *p) { return vi_load(p); }
static inline void store_all(int32_t *p, vi v) { vi_store(p, v); }
static inline vi multiply_add_all(vi w, vi x, vi sum) { return vi_add(sum, vi_mul(w, x)); }

static inline int32_t start(const gemm_params *p, int64_t n) { return p->requantize.init[n]; }

static inline void finish(const honed_call *call, int64_t m, int64_t n, int32_t sum) {
  const gemm_params *p = call->params;
  const honed_tensor *y = call->outputs[0];
  const int64_t at = m * p->shape.n + n;
  if (y->dtype == HONED_F32) {
    ((float *)y->data)[at] = honed_requantize_f32(&p->requantize, n, sum);
  } else {
    ((uint8_t *)y->data)[at] = honed_requantize_u8(&p->requantize, n, sum);
  }
}

#include "generic.h"

/* A variant that reads blocks.h defines RUN_BLOCKS(call, scratch, begin, end). */
void HONED_VARIANT_SYMBOL(honed_sparse_gemm_u8s8)(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
#ifdef RUN_BLOCKS
  if (call->plan != NULL) {
    RUN_BLOCKS(call, scratch, begin, end);
    return;
  }
#endif
  run(call, scratch, begin, end);
}
