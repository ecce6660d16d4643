/* cast: from any dtype to any other.
 *
 * A float becomes an integer by truncation and saturates, and NaN is 0; an integer wraps; a bool is whether the number differs from 0. */
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "shape.h"
#include "walk.h"

typedef void (*cast_row)(const void *x, void *y, int64_t n);

#define ROW(name, from, to, expression)                   \
  static void name(const void *vx, void *vy, int64_t n) { \
    const from *restrict x = vx;                          \
    to *restrict y = vy;                                  \
    for (int64_t i = 0; i < n; i++) {                     \
      const from v = x[i];                                \
      y[i] = (to)(expression);                            \
    }                                                     \
  }

#define FROM_INTEGER(f, from)       \
  ROW(f##_to_f32, from, float, v)   \
  ROW(f##_to_f64, from, double, v)  \
  ROW(f##_to_s64, from, int64_t, v) \
  ROW(f##_to_s32, from, int32_t, v) \
  ROW(f##_to_s8, from, int8_t, v)   \
  ROW(f##_to_u8, from, uint8_t, v)  \
  ROW(f##_to_bool, from, uint8_t, v != 0)

#define FROM_FLOAT(f, from)                                                               \
  ROW(f##_to_f32, from, float, v)                                                         \
  ROW(f##_to_f64, from, double, v)                                                        \
  static int64_t f##_s64(from v) {                                                        \
    if (v != v) return 0;                                                                 \
    return v >= (from)0x1p63 ? INT64_MAX : v <= (from) - 0x1p63 ? INT64_MIN : (int64_t)v; \
  }                                                                                       \
  ROW(f##_to_s64, from, int64_t, f##_s64(v))                                              \
  ROW(f##_to_s32, from, int32_t, limit(f##_s64(v), INT32_MIN, INT32_MAX))                 \
  ROW(f##_to_s8, from, int8_t, limit(f##_s64(v), INT8_MIN, INT8_MAX))                     \
  ROW(f##_to_u8, from, uint8_t, limit(f##_s64(v), 0, UINT8_MAX))                          \
  ROW(f##_to_bool, from, uint8_t, v != 0)

static int64_t limit(int64_t v, int64_t lo, int64_t hi) { return v < lo ? lo : v > hi ? hi : v; }

FROM_FLOAT(f32, float)
FROM_FLOAT(f64, double)
FROM_INTEGER(s64, int64_t)
FROM_INTEGER(s32, int32_t)
FROM_INTEGER(s8, int8_t)
FROM_INTEGER(u8, uint8_t)

#define TO(f)                                                                                               \
  {[HONED_F32] = f##_to_f32, [HONED_F64] = f##_to_f64, [HONED_S64] = f##_to_s64,  [HONED_S32] = f##_to_s32, \
   [HONED_S8] = f##_to_s8,   [HONED_U8] = f##_to_u8,   [HONED_BOOL] = f##_to_bool}

static const cast_row rows[HONED_F64 + 1][HONED_F64 + 1] = {
    [HONED_F32] = TO(f32), [HONED_F64] = TO(f64), [HONED_S64] = TO(s64), [HONED_S32] = TO(s32),
    [HONED_S8] = TO(s8),   [HONED_U8] = TO(u8),   [HONED_BOOL] = TO(u8),
};

typedef struct cast_params {
  cast_row row;
} cast_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  const honed_status status = honed_nd_arity(spec, 1, 1, 1, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype from = spec->inputs[0]->dtype, to = spec->outputs[0]->dtype;
  const cast_params p = {rows[from][to]};
  if (p.row == NULL) return honed_fail(ctx, HONED_UNSUPPORTED, "%s to %s", honed_dtype_name(from), honed_dtype_name(to));
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static void run_row(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n) {
  (void)walk;
  const honed_call *call = context;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  ((const cast_params *)call->params)
      ->row((const char *)x->data + in[0] * (int64_t)honed_dtype_bytes(x->dtype),
            (char *)y->data + at * (int64_t)honed_dtype_bytes(y->dtype), n);
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  honed_nd_walk_run(call->plan, begin, end, run_row, call);
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_status status = honed_nd_walk_broadcast(call, 1, ctx);
  call->kernel = kernel;
  return status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_cast"; }

const honed_op_type honed_op_cast = {"cast", create, free, reshape, kernel_name, 0};
