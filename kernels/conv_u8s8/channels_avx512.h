/* channels_generic.h for AVX-512, with and without VNNI. Include a conv/products_avx512*.h first, and define TILE_RUNS and RUN_MAX. */
#include "interleave_avx512.h"

static inline bytes pixels_apart(bytes v) { return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v); }
#define store_16(p, v, part) _mm_storeu_si128((__m128i *)(p), _mm512_extracti32x4_epi32(v, part))

#include "channels_generic.h"
