#include "base/x86_bf16_avx512.h"
#include "gemm_vec_avx512.h"

static inline vec fma_of(vec a, vec b, vec c) {
  return pairs_add(c, pairs_split(_mm512_castps_si512(a)), pairs_split(_mm512_castps_si512(b)));
}

#include "gemm_bf16_rows.h"

void honed_gemm_bf16_6x64__avx512(const honed_gemm_f32_args *args) { rounded_panel(args); }
