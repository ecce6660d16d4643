/* binary: y = a op b, elementwise with NumPy's broadcasting.
 *
 * Integers wrap; an integer divided by 0 is 0, and its remainder too. div of integers truncates. max and min give NaN where either is. */
#ifndef HONED_ND_BINARY_H
#define HONED_ND_BINARY_H

#include "base/operator.h"

typedef enum honed_binary_op {
  HONED_BINARY_ADD = 0,
  HONED_BINARY_SUB = 1,
  HONED_BINARY_MUL = 2,
  HONED_BINARY_DIV = 3,
  HONED_BINARY_MAX = 4,
  HONED_BINARY_MIN = 5,
  HONED_BINARY_POW = 6,
  HONED_BINARY_MOD = 7,  /* of the sign of b */
  HONED_BINARY_FMOD = 8, /* of the sign of a */
  HONED_BINARY_EQUAL = 9,
  HONED_BINARY_LESS = 10,
  HONED_BINARY_LESS_EQUAL = 11,
  HONED_BINARY_GREATER = 12,
  HONED_BINARY_GREATER_EQUAL = 13,
  HONED_BINARY_AND = 14,
  HONED_BINARY_OR = 15,
  HONED_BINARY_XOR = 16,
  HONED_BINARY_PRELU = 17, /* a < 0 ? a * b : a */
} honed_binary_op;

enum { HONED_BINARY_OPS = 18 };

/* y[i] = a[i * a_stride] op b[i * b_stride] for 0 <= i < n; each stride is 0 or 1, and 1 of one at least where n > 1. */
typedef void (*honed_binary_row)(const void *a, const void *b, void *y, int64_t n, int64_t a_stride, int64_t b_stride);

/* NULL where the operation is not defined for the type. */
honed_binary_row honed_binary_row_find(honed_binary_op op, honed_dtype dtype);

/* Operations 9 to 16. */
bool honed_binary_gives_bool(honed_binary_op op);

#endif
