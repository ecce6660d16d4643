#include "gemm_vec_avx512.h"

static inline vec fma_of(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }

#include "gemm_f32_tile.h"

void honed_gemm_f32_6x64__avx512(const honed_gemm_f32_args *args) { panel(args); }
