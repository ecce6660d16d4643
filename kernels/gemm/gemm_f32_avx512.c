#include <immintrin.h>

typedef __m512 vec;
enum { LANES = 16, ROWS = 6, ACCUMULATORS = 24 };
#define WIDE_ROWS 6

static inline vec splat(float value) { return _mm512_set1_ps(value); }
static inline vec load(const float *p) { return _mm512_loadu_ps(p); }
static inline vec fma_of(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
/* maxps and minps return their second operand where one is a NaN. */
static inline vec clamp(vec v, float lo, float hi) { return _mm512_min_ps(splat(hi), _mm512_max_ps(splat(lo), v)); }

static inline __mmask16 first(long long n) { return n >= LANES ? 0xFFFF : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }
static inline vec load_n(const float *p, long long n) { return _mm512_maskz_loadu_ps(first(n), p); }
static inline void store_n(float *p, vec v, long long n) { _mm512_mask_storeu_ps(p, first(n), v); }

#include "gemm_f32_tile.h"

void honed_gemm_f32_6x64__avx512(const honed_gemm_f32_args *args) { panel(args); }
