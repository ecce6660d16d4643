/* The loops of the vector variants of gemm_u8s8, once. A file that includes this defines before
 *   vec, BLOCK_VECS        an accumulator, and how many hold the 16 outputs of a block
 *   ROWS, WIDE_BLOCKS      most rows of a tile, and blocks of a wide tile; a constant number of each
 *   spread(word), word_vec one 32-bit word (four inputs) in the form that dot wants
 *   dot(acc, x, w)         adds the products of four inputs with a block's 64 weights to acc[BLOCK_VECS]
 *   store_block(a, acc, m, n)   the first min(a->n - n, 16) outputs of row m, requantised */
#include <string.h>

#include "gemm_u8s8.h"

enum { WORD_WEIGHTS = 4 * HONED_GEMM_BLOCK };

/* Inputs 4 * word to 4 * word + count - 1 of every row. */
static inline __attribute__((always_inline)) void step(const honed_gemm_u8s8_args *a, const uint8_t *x, const int8_t *w, int64_t words,
                                                       int64_t word, size_t count, int rows, int blocks, vec *acc) {
  for (int r = 0; r < rows; r++) {
    uint32_t inputs = 0;
    memcpy(&inputs, x + r * a->ldx + 4 * word, count);
    const word_vec spread_inputs = spread(inputs);
    for (int b = 0; b < blocks; b++) dot(acc + (r * blocks + b) * BLOCK_VECS, spread_inputs, w + (b * words + word) * WORD_WEIGHTS);
  }
}

/* Rows from m0 and blocks from output n0 on. `rows` and `blocks` are constants where this is inlined, so that accumulators are registers.
 */
static inline __attribute__((always_inline)) void tile(const honed_gemm_u8s8_args *a, int64_t m0, int64_t n0, int rows, int blocks) {
  const int64_t words = (a->k + 3) / 4, whole = a->k / 4;
  const uint8_t *x = a->x + m0 * a->ldx;
  vec acc[ROWS * WIDE_BLOCKS * BLOCK_VECS];
  memset(acc, 0, sizeof acc);
  for (int64_t p = 0; p < a->passes; p++) {
    const int8_t *w = a->w + p * a->pass_stride + n0 * words * 4;
    for (int64_t i = 0; i < whole; i++) step(a, x, w, words, i, 4, rows, blocks, acc);
    if (whole < words) step(a, x, w, words, whole, (size_t)(a->k - 4 * whole), rows, blocks, acc);
  }
  for (int r = 0; r < rows; r++) {
    for (int b = 0; b < blocks; b++) store_block(a, acc + (r * blocks + b) * BLOCK_VECS, m0 + r, n0 + b * HONED_GEMM_BLOCK);
  }
}

static inline __attribute__((always_inline)) void rows_of(const honed_gemm_u8s8_args *a, int64_t m0, int64_t n0, int rows, int blocks) {
  switch (rows) {
#if ROWS >= 6
    case 6: tile(a, m0, n0, 6, blocks); break;
    case 5: tile(a, m0, n0, 5, blocks); break;
#endif
#if ROWS >= 4
    case 4: tile(a, m0, n0, 4, blocks); break;
    case 3: tile(a, m0, n0, 3, blocks); break;
#endif
    case 2: tile(a, m0, n0, 2, blocks); break;
    default: tile(a, m0, n0, 1, blocks); break;
  }
}

static inline __attribute__((always_inline)) void panel(const honed_gemm_u8s8_args *a) {
  for (int64_t m = 0; m < a->m; m += ROWS) {
    const int rows = a->m - m < ROWS ? (int)(a->m - m) : ROWS;
    int64_t n = 0;
    for (; a->n - n > (WIDE_BLOCKS - 1) * HONED_GEMM_BLOCK; n += WIDE_BLOCKS * HONED_GEMM_BLOCK) rows_of(a, m, n, rows, WIDE_BLOCKS);
    for (; n < a->n; n += HONED_GEMM_BLOCK) rows_of(a, m, n, rows, 1);
  }
}
