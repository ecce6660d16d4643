#include <math.h>

#include "binary.h"

/* `expression` is of l and r. */
#define ROW(name, type, result, expression)                                                                   \
  static void name(const void *va, const void *vb, void *vy, int64_t n, int64_t a_stride, int64_t b_stride) { \
    const type *a = va, *b = vb;                                                                              \
    result *y = vy;                                                                                           \
    if (a_stride == 1 && b_stride == 1) {                                                                     \
      for (int64_t i = 0; i < n; i++) {                                                                       \
        const type l = a[i], r = b[i];                                                                        \
        y[i] = (result)(expression);                                                                          \
      }                                                                                                       \
    } else if (b_stride == 0) {                                                                               \
      const type r = b[0];                                                                                    \
      for (int64_t i = 0; i < n; i++) {                                                                       \
        const type l = a[i];                                                                                  \
        y[i] = (result)(expression);                                                                          \
      }                                                                                                       \
    } else {                                                                                                  \
      const type l = a[0];                                                                                    \
      for (int64_t i = 0; i < n; i++) {                                                                       \
        const type r = b[i];                                                                                  \
        y[i] = (result)(expression);                                                                          \
      }                                                                                                       \
    }                                                                                                         \
  }

static double floor_mod(double l, double r) {
  const double rest = fmod(l, r);
  if (rest == 0) return copysign(0, r);
  return (rest < 0) == (r < 0) ? rest : rest + r;
}

/* Truncating division that cannot trap: the most negative number by -1 wraps. */
static int64_t divide(int64_t l, int64_t r) { return r == 0 ? 0 : r == -1 ? (int64_t)(0 - (uint64_t)l) : l / r; }
static int64_t remainder_of(int64_t l, int64_t r) { return r == 0 || r == -1 ? 0 : l % r; }

static int64_t floor_remainder(int64_t l, int64_t r) {
  const int64_t rest = remainder_of(l, r);
  return rest != 0 && (rest < 0) != (r < 0) ? rest + r : rest;
}

static int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1;
  for (uint64_t square = (uint64_t)base; exponent > 0; exponent /= 2, square *= square) {
    if (exponent % 2 == 1) result *= square;
  }
  return (int64_t)result;
}

#define COMPARISONS(t, type)                 \
  ROW(equal_##t, type, uint8_t, l == r)      \
  ROW(less_##t, type, uint8_t, l < r)        \
  ROW(less_equal_##t, type, uint8_t, l <= r) \
  ROW(greater_##t, type, uint8_t, l > r)     \
  ROW(greater_equal_##t, type, uint8_t, l >= r)

#define FLOATS(t, type, pow_function, fmod_function)        \
  ROW(add_##t, type, type, l + r)                           \
  ROW(sub_##t, type, type, l - r)                           \
  ROW(mul_##t, type, type, l *r)                            \
  ROW(div_##t, type, type, l / r)                           \
  ROW(max_##t, type, type, l > r || l != l ? l : r)         \
  ROW(min_##t, type, type, l < r || l != l ? l : r)         \
  ROW(pow_##t, type, type, pow_function(l, r))              \
  ROW(mod_##t, type, type, floor_mod((double)l, (double)r)) \
  ROW(fmod_##t, type, type, fmod_function(l, r))            \
  ROW(prelu_##t, type, type, l < 0 ? l * r : l)             \
  COMPARISONS(t, type)

/* Sums and products in an unsigned type, where they wrap. */
#define INTEGERS(t, type, wide)                   \
  ROW(add_##t, type, type, (wide)l + (wide)r)     \
  ROW(sub_##t, type, type, (wide)l - (wide)r)     \
  ROW(mul_##t, type, type, (wide)l *(wide)r)      \
  ROW(div_##t, type, type, divide(l, r))          \
  ROW(max_##t, type, type, l > r ? l : r)         \
  ROW(min_##t, type, type, l < r ? l : r)         \
  ROW(pow_##t, type, type, power(l, r))           \
  ROW(mod_##t, type, type, floor_remainder(l, r)) \
  ROW(fmod_##t, type, type, remainder_of(l, r))   \
  COMPARISONS(t, type)

FLOATS(f32, float, powf, fmodf)
FLOATS(f64, double, pow, fmod)
INTEGERS(s64, int64_t, uint64_t)
INTEGERS(s32, int32_t, uint32_t)
INTEGERS(s8, int8_t, uint32_t)
INTEGERS(u8, uint8_t, uint32_t)
ROW(prelu_s64, int64_t, int64_t, l < 0 ? (uint64_t)l * (uint64_t)r : (uint64_t)l)
ROW(prelu_s32, int32_t, int32_t, l < 0 ? (uint32_t)l * (uint32_t)r : (uint32_t)l)
ROW(prelu_s8, int8_t, int8_t, l < 0 ? (uint32_t)l * (uint32_t)r : (uint32_t)l)
COMPARISONS(bool, uint8_t)
ROW(and_bool, uint8_t, uint8_t, l &&r)
ROW(or_bool, uint8_t, uint8_t, l || r)
ROW(xor_bool, uint8_t, uint8_t, l != r)

#define NUMERIC(name)                                                            \
  {[HONED_F32] = name##_f32, [HONED_F64] = name##_f64, [HONED_S64] = name##_s64, \
   [HONED_S32] = name##_s32, [HONED_S8] = name##_s8,   [HONED_U8] = name##_u8}
#define COMPARED(name)                                                                                      \
  {[HONED_F32] = name##_f32, [HONED_F64] = name##_f64, [HONED_S64] = name##_s64,  [HONED_S32] = name##_s32, \
   [HONED_S8] = name##_s8,   [HONED_U8] = name##_u8,   [HONED_BOOL] = name##_bool}

static const honed_binary_row rows[HONED_BINARY_OPS][HONED_F64 + 1] = {
    [HONED_BINARY_ADD] = NUMERIC(add),
    [HONED_BINARY_SUB] = NUMERIC(sub),
    [HONED_BINARY_MUL] = NUMERIC(mul),
    [HONED_BINARY_DIV] = NUMERIC(div),
    [HONED_BINARY_MAX] = NUMERIC(max),
    [HONED_BINARY_MIN] = NUMERIC(min),
    [HONED_BINARY_POW] = NUMERIC(pow),
    [HONED_BINARY_MOD] = NUMERIC(mod),
    [HONED_BINARY_FMOD] = NUMERIC(fmod),
    [HONED_BINARY_EQUAL] = COMPARED(equal),
    [HONED_BINARY_LESS] = COMPARED(less),
    [HONED_BINARY_LESS_EQUAL] = COMPARED(less_equal),
    [HONED_BINARY_GREATER] = COMPARED(greater),
    [HONED_BINARY_GREATER_EQUAL] = COMPARED(greater_equal),
    [HONED_BINARY_AND] = {[HONED_BOOL] = and_bool},
    [HONED_BINARY_OR] = {[HONED_BOOL] = or_bool},
    [HONED_BINARY_XOR] = {[HONED_BOOL] = xor_bool},
    [HONED_BINARY_PRELU] =
        {[HONED_F32] = prelu_f32, [HONED_F64] = prelu_f64, [HONED_S64] = prelu_s64, [HONED_S32] = prelu_s32, [HONED_S8] = prelu_s8},
};

honed_binary_row honed_binary_row_find(honed_binary_op op, honed_dtype dtype) { return rows[op][dtype]; }

bool honed_binary_gives_bool(honed_binary_op op) { return op >= HONED_BINARY_EQUAL && op <= HONED_BINARY_XOR; }
