#include <math.h>

#include "gemm_f32.h"

void honed_gemm_f32_1x16__scalar(const honed_gemm_f32_args *a) {
  for (int64_t m = 0; m < a->m; m++) {
    for (int64_t n = 0; n < a->n; n++) {
      const float *w = a->w + n / HONED_GEMM_BLOCK * a->k * HONED_GEMM_BLOCK + n % HONED_GEMM_BLOCK;
      float acc = a->bias == NULL ? 0 : a->bias[n];
      for (int64_t k = 0; k < a->k; k++) acc = fmaf(a->x[m * a->ldx + k], w[k * HONED_GEMM_BLOCK], acc);
      const float above = acc < a->lo ? a->lo : acc;
      a->y[m * a->ldy + n] = above > a->hi ? a->hi : above;
    }
  }
}
