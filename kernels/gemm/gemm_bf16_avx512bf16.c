#include "base/x86_bf16_avx512bf16.h"
#include "gemm_vec_avx512.h"

static inline vec fma_of(vec a, vec b, vec c) { return pairs_add(c, a, b); }

#include "gemm_bf16_rows.h"

void honed_gemm_bf16_6x64__avx512bf16(const honed_gemm_f32_args *args) { rounded_panel(args); }
