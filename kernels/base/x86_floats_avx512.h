/* Vectors of f32 pixels for kernels that are written once for all vector widths (AVX-512: 16 pixels). */
#ifndef HONED_BASE_X86_FLOATS_AVX512_H
#define HONED_BASE_X86_FLOATS_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#include "simd_avx512.h"

enum { FLOATS = 16 };
typedef __m512 floats;

static inline floats floats_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void floats_store(float *p, floats v) { _mm512_storeu_ps(p, v); }
static inline floats floats_set1(float v) { return _mm512_set1_ps(v); }
static inline floats floats_add(floats a, floats b) { return _mm512_add_ps(a, b); }
static inline floats floats_fma(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
static inline floats floats_clamp(floats v, floats lo, floats hi) { return _mm512_min_ps(_mm512_max_ps(v, lo), hi); }
/* The vector at p + n, where lo and hi are those at p and p + FLOATS. */
#define floats_between(p, lo, hi, n) _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(hi), _mm512_castps_si512(lo), n))
/* The same where the bit of `valid` is set, 0 elsewhere. */
#define floats_between_kept(valid, p, lo, hi, n) \
  _mm512_castsi512_ps(_mm512_maskz_alignr_epi32((__mmask16)(valid), _mm512_castps_si512(hi), _mm512_castps_si512(lo), n))
/* The first eight pixels. */
static inline __m256 floats_low(floats v) { return _mm512_castps512_ps256(v); }
/* v where the bit of `valid` is set, 0 elsewhere. */
static inline floats floats_keep(uint64_t valid, floats v) { return _mm512_maskz_mov_ps((__mmask16)valid, v); }

#endif
