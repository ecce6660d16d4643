#include "base/bf16.h"
#include "gemm_bf16.h"

static float sum_of(const honed_gemm_f32_args *a, const float *x, int64_t n) {
  const int64_t pairs = (a->k + 1) / 2;
  const uint16_t *w = (const uint16_t *)(a->w + n / HONED_GEMM_BLOCK * pairs * HONED_GEMM_BLOCK + n % HONED_GEMM_BLOCK);
  float sum = a->bias == NULL ? 0 : a->bias[n];
  for (int64_t k = 0; k < a->k; k += 2, w += 2 * HONED_GEMM_BLOCK) {
    const uint16_t pair[2] = {honed_bf16_from(x[k]), honed_bf16_from(k + 1 < a->k ? x[k + 1] : 0.0f)};
    sum = honed_bf16_add_pair(sum, w, pair);
  }
  return sum;
}

void honed_gemm_bf16_1x16__scalar(const honed_gemm_f32_args *a) {
  for (int64_t m = 0; m < a->m; m++) {
    for (int64_t n = 0; n < a->n; n++) {
      const float sum = sum_of(a, a->x + m * a->ldx, n), above = sum < a->lo ? a->lo : sum;
      a->y[m * a->ldy + n] = above > a->hi ? a->hi : above;
    }
  }
}
