#include "gemm_u8s8.h"

static int32_t accumulate(const honed_gemm_u8s8_args *a, const uint8_t *x, int64_t n) {
  const int64_t words = (a->k + 3) / 4;
  uint32_t acc = (uint32_t)a->requantize->init[a->channel + n];
  for (int64_t p = 0; p < a->passes; p++) {
    const int8_t *w = a->w + p * a->pass_stride + (n / HONED_GEMM_BLOCK * words * HONED_GEMM_BLOCK + n % HONED_GEMM_BLOCK) * 4;
    for (int64_t k = 0; k < a->k; k++) acc += (uint32_t)(x[k] * w[k / 4 * 4 * HONED_GEMM_BLOCK + k % 4]);
  }
  return (int32_t)acc;
}

void honed_gemm_u8s8_1x1__scalar(const honed_gemm_u8s8_args *a) {
  for (int64_t m = 0; m < a->m; m++) {
    for (int64_t n = 0; n < a->n; n++) {
      const int32_t acc = accumulate(a, a->x + m * a->ldx, n);
      const int64_t at = m * a->ldy + n;
      if (a->y_is_f32) {
        ((float *)a->y)[at] = honed_requantize_f32(a->requantize, a->channel + n, acc);
      } else {
        ((uint8_t *)a->y)[at] = honed_requantize_u8(a->requantize, a->channel + n, acc);
      }
    }
  }
}
