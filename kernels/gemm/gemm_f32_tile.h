/* The loops of the vector variants of gemm_f32, once. A file that includes this defines before
 *   vec, LANES          a vector, and its number of floats, which divides HONED_GEMM_BLOCK
 *   ROWS, WIDE_ROWS     most rows of a tile of one block, and of a tile of a whole panel
 *   ACCUMULATORS        most vectors of a tile
 *   splat(float), load(p), fma_of(a, b, c), clamp(v, lo, hi)
 *   load_n(p, n), store_n(p, v, n)     the first n elements; none where n <= 0, all where n >= LANES */
#include "gemm_f32.h"

enum { BLOCK_VECS = HONED_GEMM_BLOCK / LANES, PANEL_BLOCKS = HONED_GEMM_PANEL / HONED_GEMM_BLOCK };

/* Rows from m0 and blocks from output n0 on. `rows` and `blocks` are constants where this is inlined, so that accumulators are registers.
 */
static inline __attribute__((always_inline)) void tile(const honed_gemm_f32_args *a, int64_t m0, int64_t n0, int rows, int blocks) {
  const int width = blocks * BLOCK_VECS;
  const float *x = a->x + m0 * a->ldx;
  const float *w = a->w + n0 * a->k;
  vec acc[ACCUMULATORS];
  for (int v = 0; v < width; v++) {
    const vec start = a->bias == NULL ? splat(0) : load_n(a->bias + n0 + v * LANES, a->n - n0 - v * LANES);
    for (int r = 0; r < rows; r++) acc[r * width + v] = start;
  }
  for (int64_t k = 0; k < a->k; k++) {
    for (int r = 0; r < rows; r++) {
      const vec value = splat(x[r * a->ldx + k]);
      for (int v = 0; v < width; v++) {
        const float *weights = w + v / BLOCK_VECS * a->k * HONED_GEMM_BLOCK + k * HONED_GEMM_BLOCK + v % BLOCK_VECS * LANES;
        acc[r * width + v] = fma_of(value, load(weights), acc[r * width + v]);
      }
    }
  }
  for (int r = 0; r < rows; r++) {
    float *y = a->y + (m0 + r) * a->ldy + n0;
    for (int v = 0; v < width; v++) store_n(y + v * LANES, clamp(acc[r * width + v], a->lo, a->hi), a->n - n0 - v * LANES);
  }
}

static inline __attribute__((always_inline)) void rows_of_block(const honed_gemm_f32_args *a, int64_t m0, int64_t n0, int rows) {
  switch (rows) {
    case 6: tile(a, m0, n0, 6, 1); break;
    case 5: tile(a, m0, n0, 5, 1); break;
    case 4: tile(a, m0, n0, 4, 1); break;
    case 3: tile(a, m0, n0, 3, 1); break;
    case 2: tile(a, m0, n0, 2, 1); break;
    default: tile(a, m0, n0, 1, 1); break;
  }
}

static inline __attribute__((always_inline)) bool rows_of_panel(const honed_gemm_f32_args *a, int64_t m0, int rows) {
  if (rows > WIDE_ROWS || a->n <= HONED_GEMM_PANEL - HONED_GEMM_BLOCK) return false;
  switch (rows) {
#if WIDE_ROWS >= 6
    case 6: tile(a, m0, 0, 6, PANEL_BLOCKS); return true;
    case 5: tile(a, m0, 0, 5, PANEL_BLOCKS); return true;
    case 4: tile(a, m0, 0, 4, PANEL_BLOCKS); return true;
    case 3: tile(a, m0, 0, 3, PANEL_BLOCKS); return true;
    case 2: tile(a, m0, 0, 2, PANEL_BLOCKS); return true;
#endif
    default: tile(a, m0, 0, 1, PANEL_BLOCKS); return true;
  }
}

static inline __attribute__((always_inline)) void panel(const honed_gemm_f32_args *a) {
  for (int64_t m = 0; m < a->m; m += ROWS) {
    const int rows = a->m - m < ROWS ? (int)(a->m - m) : ROWS;
    if (rows_of_panel(a, m, rows)) continue;
    for (int64_t n = 0; n < a->n; n += HONED_GEMM_BLOCK) rows_of_block(a, m, n, rows);
  }
}
