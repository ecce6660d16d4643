#include "base/x86_vnni.h"
#include "gemm_u8s8_store_avx512.h"

typedef __m512i vec;
typedef __m512i word_vec;
enum { BLOCK_VECS = 1, WIDE_BLOCKS = 4 };
#define ROWS 6

static inline word_vec spread(uint32_t word) { return _mm512_set1_epi32((int32_t)word); }

static inline void dot(vec *acc, word_vec x, const int8_t *w) { *acc = honed_dpbusd(*acc, x, _mm512_loadu_si512(w)); }

static inline void store_block(const honed_gemm_u8s8_args *a, const vec *acc, int64_t m, int64_t n) {
  honed_gemm_u8s8_store_avx512(a, *acc, m, n);
}

#include "gemm_u8s8_tile.h"

void honed_gemm_u8s8_6x64__avx512vnni(const honed_gemm_u8s8_args *args) { panel(args); }
