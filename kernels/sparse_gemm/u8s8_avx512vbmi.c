#include <string.h>

#include "base/x86_vnni.h"
#include "blocks.h"
#include "gemm/gemm_u8s8_store_avx512.h"
#include "sparse_gemm_u8s8.h"

static void run_blocks(const honed_call *call, void *scratch, int64_t begin, int64_t end);

#define HONED_VARIANT avx512vbmi
#define RUN_BLOCKS run_blocks
#include "generic_u8s8.h"

/* The group's sums over one row of whole blocks of x. */
static inline __m512i group_sums(const honed_gemm_blocks *w, int64_t group, const uint8_t *x) {
  const int32_t *begin = w->begin + group * w->blocks;
  const honed_gemm_step *step = w->steps + *begin;
  __m512i even = _mm512_setzero_si512(), odd = even; /* one sum alone would wait for itself */
  for (int64_t b = 0; b < w->blocks; b++, x += HONED_GEMM_INPUTS) {
    const __m512i lo = _mm512_loadu_si512(x), hi = _mm512_loadu_si512(x + 64);
    const honed_gemm_step *const end = w->steps + begin[b + 1];
    for (; step + 2 <= end; step += 2) {
      even = honed_dpbusd(even, _mm512_permutex2var_epi8(lo, _mm512_loadu_si512(step[0].inputs), hi), _mm512_loadu_si512(step[0].weights));
      odd = honed_dpbusd(odd, _mm512_permutex2var_epi8(lo, _mm512_loadu_si512(step[1].inputs), hi), _mm512_loadu_si512(step[1].weights));
    }
    for (; step < end; step++) {
      even = honed_dpbusd(even, _mm512_permutex2var_epi8(lo, _mm512_loadu_si512(step->inputs), hi), _mm512_loadu_si512(step->weights));
    }
  }
  return _mm512_add_epi32(even, odd);
}

/* scratch: a row of x, filled up to whole blocks. */
static void run_blocks(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_sparse_gemm_u8s8 *p = call->params;
  const honed_gemm_blocks *w = call->plan;
  const honed_tensor *y = call->outputs[0];
  const int64_t n = p->shape.n, k = p->shape.k, m = honed_tensor_count(call->inputs[0]) / k;
  uint8_t *const row = scratch;
  memset(row + k, 0, (size_t)(w->blocks * HONED_GEMM_INPUTS - k));
  for (int64_t i = 0; i < m; i++) {
    memcpy(row, (const uint8_t *)call->inputs[0]->data + i * k, (size_t)k);
    for (int64_t task = begin; task < end; task++) {
      const honed_sparse_gemm_task t = honed_sparse_gemm_task_at(m, n, task);
      const bool floats = y->dtype == HONED_F32;
      const honed_gemm_u8s8_args out = {
          .requantize = &p->requantize, .y = (char *)y->data + i * n * (floats ? 4 : 1), .y_is_f32 = floats, .n = n, .ldy = n};
      for (int64_t n0 = t.n0; n0 < t.n1; n0 += HONED_GEMM_GROUP) {
        honed_gemm_u8s8_store_avx512(&out, group_sums(w, n0 / HONED_GEMM_GROUP, row), 0, n0);
      }
    }
  }
}
