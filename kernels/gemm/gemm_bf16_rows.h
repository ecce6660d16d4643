/* The loops of the vector variants of gemm_bf16: those of gemm_f32 over pairs of inputs, which take the place of numbers. A file that
 * includes this defines before
 *   what gemm_f32_tile.h asks for, fma_of(a, b, c) being c + the products of the pairs a and b
 * and includes a base/x86_bf16_*.h. */
#include "base/bf16.h"
#include "base/x86_flush.h"
#include "gemm_bf16.h"
#include "gemm_f32_tile.h"

static void round_row(const float *x, int64_t k, float *pairs) {
  char *out = (char *)pairs;
  int64_t i = 0;
  for (; i + FLOATS <= k; i += FLOATS) floats_store_bf16(out + 2 * i, floats_load(x + i));
  for (; i < k + k % 2; i++) {
    const uint16_t rounded = i < k ? honed_bf16_from(x[i]) : 0;
    memcpy(out + 2 * i, &rounded, sizeof rounded);
  }
}

static __attribute__((noinline)) void rounded_rows(const honed_gemm_f32_args *args, int64_t m0, int rows) {
  honed_gemm_f32_args part = *args;
  part.k = part.ldx = (args->k + 1) / 2;
  for (int r = 0; r < rows; r++) round_row(args->x + (m0 + r) * args->ldx, args->k, args->pairs + r * part.k);
  part.x = args->pairs;
  part.m = rows;
  part.y = args->y + m0 * args->ldy;
  panel(&part);
}

static inline void rounded_panel(const honed_gemm_f32_args *args) {
  const unsigned before = honed_flush_begin();
  for (int64_t m = 0; m < args->m; m += ROWS) rounded_rows(args, m, args->m - m < ROWS ? (int)(args->m - m) : ROWS);
  honed_flush_end(before);
}
