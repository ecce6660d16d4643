#include "gemm_vec_avx2.h"

static inline vec fma_of(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }

#include "gemm_f32_tile.h"

void honed_gemm_f32_6x16__avx2(const honed_gemm_f32_args *args) { panel(args); }
