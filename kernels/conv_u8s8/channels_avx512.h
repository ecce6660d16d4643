/* What channels_generic.h asks for, as far as it is the same with and without VNNI. */
#ifndef HONED_CONV_U8S8_CHANNELS_AVX512_H
#define HONED_CONV_U8S8_CHANNELS_AVX512_H

#include "conv_u8s8.h"
#include "interleave_avx512.h"

typedef honed_conv_u8s8 params;

static inline bytes pixels_apart(bytes v) { return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v); }
#define store_16(p, v, part) _mm_storeu_si128((__m128i *)(p), _mm512_extracti32x4_epi32(v, part))

#endif
