/* Rows whose ends lie within a vector. Include a base/simd_*.h first. */
#ifndef HONED_BASE_ROW_LANES_H
#define HONED_BASE_ROW_LANES_H

#include "integers.h"
#include "unroll.h"

/* Of a vector of the row from column `at` on: bits of the lanes inside. */
static inline uint32_t lanes_inside(int64_t at, int64_t width) {
  const int64_t end = honed_larger(honed_smaller(width - at, VF_LANES), 0), begin = honed_smaller(honed_larger(-at, 0), end);
  return ((1u << end) - 1) & ~((1u << begin) - 1);
}

/* A vector of the row from column `at` on; 0 outside of the row. */
ALWAYS vf load_inside(const float *row, int64_t at, uint32_t inside) {
  return vf_load_where((const float *)((uintptr_t)row + (uintptr_t)(at * (int64_t)sizeof *row)), inside);
}

#endif
