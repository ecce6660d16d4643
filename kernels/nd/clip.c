/* clip: y = min(max(x, lo), hi). NaN stays. */
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "shape.h"
#include "walk.h"

typedef struct clip_params {
  honed_dtype dtype;
  float lo, hi;           /* of floats */
  int64_t int_lo, int_hi; /* of integers, within the type */
} clip_params;

static honed_status integer_bounds(const honed_op_spec *spec, clip_params *p, honed_context *ctx) {
  int64_t least = 0, most = 0;
  switch (p->dtype) {
    case HONED_S64: least = INT64_MIN, most = INT64_MAX; break;
    case HONED_S32: least = INT32_MIN, most = INT32_MAX; break;
    case HONED_S8: least = INT8_MIN, most = INT8_MAX; break;
    case HONED_U8: least = 0, most = UINT8_MAX; break;
    default: return honed_fail(ctx, HONED_UNSUPPORTED, "clip of %s", honed_dtype_name(p->dtype));
  }
  honed_status status = honed_attr_int(spec, "lo", least, least, most, &p->int_lo, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "hi", most, least, most, &p->int_hi, ctx);
  return status;
}

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  clip_params p = {0};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status != HONED_OK) return status;
  p.dtype = spec->inputs[0]->dtype;
  if (p.dtype == HONED_F32 || p.dtype == HONED_F64) {
    status = honed_attr_float(spec, "lo", -INFINITY, &p.lo, ctx);
    if (status == HONED_OK) status = honed_attr_float(spec, "hi", INFINITY, &p.hi, ctx);
  } else {
    status = integer_bounds(spec, &p, ctx);
  }
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

/* As ONNX has it, hi where lo > hi. */
#define CLIP(name, type, least, most)                                           \
  static void name(const clip_params *p, const void *vx, void *vy, int64_t n) { \
    const type *x = vx, lo = (type)p->least, hi = (type)p->most;                \
    type *y = vy;                                                               \
    for (int64_t i = 0; i < n; i++) {                                           \
      const type above = x[i] < lo ? lo : x[i];                                 \
      y[i] = above > hi ? hi : above;                                           \
    }                                                                           \
  }
CLIP(clip_f32, float, lo, hi)
CLIP(clip_f64, double, lo, hi)
CLIP(clip_s64, int64_t, int_lo, int_hi)
CLIP(clip_s32, int32_t, int_lo, int_hi)
CLIP(clip_s8, int8_t, int_lo, int_hi)
CLIP(clip_u8, uint8_t, int_lo, int_hi)
#undef CLIP

static void run_row(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n) {
  (void)walk;
  const honed_call *call = context;
  const clip_params *p = call->params;
  const int64_t bytes = (int64_t)honed_dtype_bytes(p->dtype);
  const void *x = (const char *)call->inputs[0]->data + in[0] * bytes;
  void *y = (char *)call->outputs[0]->data + at * bytes;
  switch (p->dtype) {
    case HONED_F32: clip_f32(p, x, y, n); break;
    case HONED_F64: clip_f64(p, x, y, n); break;
    case HONED_S64: clip_s64(p, x, y, n); break;
    case HONED_S32: clip_s32(p, x, y, n); break;
    case HONED_S8: clip_s8(p, x, y, n); break;
    default: clip_u8(p, x, y, n); break;
  }
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

static const char *kernel_name(const void *params) { return (void)params, "honed_clip"; }

const honed_op_type honed_op_clip = {"clip", create, free, reshape, kernel_name, 0};
