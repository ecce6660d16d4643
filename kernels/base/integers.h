/* Arithmetic of sizes and counts. */
#ifndef HONED_BASE_INTEGERS_H
#define HONED_BASE_INTEGERS_H

#include <stdint.h>

static inline int64_t honed_smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t honed_larger(int64_t a, int64_t b) { return a > b ? a : b; }
/* ⌈a / b⌉ for a >= 0, b > 0. */
static inline int64_t honed_divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

#endif
