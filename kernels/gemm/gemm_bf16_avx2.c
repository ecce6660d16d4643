#include "base/x86_bf16_avx2.h"
#include "gemm_vec_avx2.h"

static inline vec fma_of(vec a, vec b, vec c) {
  return pairs8_add(c, pairs8_split(_mm256_castps_si256(a)), pairs8_split(_mm256_castps_si256(b)));
}

#include "gemm_bf16_rows.h"

void honed_gemm_bf16_6x16__avx2(const honed_gemm_f32_args *args) { rounded_panel(args); }
