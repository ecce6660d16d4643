#include "conv/products_avx2.h"
#include "interleave_avx2.h"

#define TILE_RUNS 1
#define RUN_MAX 4

static inline bytes pixels_apart(bytes v) { return _mm256_permute4x64_epi64(v, 0xd8); }
#define store_16(p, v, part) _mm_storeu_si128((__m128i *)(p), _mm256_extracti128_si256(v, (part) & 1))

#include "channels_generic.h"

void honed_conv_u8s8_4x16__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
