#include "check.h"

#include <math.h>
#include <string.h>

honed_status honed_check_dtype(const honed_tensor *t, const char *what, honed_dtype expected, honed_context *ctx) {
  if (t->dtype == expected) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%s is %s, expected %s", what, honed_dtype_name(t->dtype), honed_dtype_name(expected));
}

honed_status honed_check_layout(const honed_tensor *t, const char *what, honed_layout expected, honed_context *ctx) {
  if (t->layout == expected) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%s is %s, expected %s", what, t->layout == HONED_PLANAR ? "planar" : "dense",
                    expected == HONED_PLANAR ? "planar" : "dense");
}

honed_status honed_attr_finite(const honed_op_spec *spec, const char *name, double fallback, float *out, honed_context *ctx) {
  const honed_status status = honed_attr_float(spec, name, fallback, out, ctx);
  if (status != HONED_OK || isfinite(*out)) return status;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute %s is %g, expected a finite number", name, (double)*out);
}

honed_status honed_attr_range(const honed_op_spec *spec, const char *lo_name, const char *hi_name, double lo_fallback, double hi_fallback,
                              float *lo, float *hi, honed_context *ctx) {
  honed_status status = honed_attr_float(spec, lo_name, lo_fallback, lo, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, hi_name, hi_fallback, hi, ctx);
  if (status != HONED_OK || *lo <= *hi) return status;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attributes %s and %s are %g and %g, expected an interval", lo_name, hi_name, (double)*lo,
                    (double)*hi);
}

honed_status honed_attr_u8_range(const honed_op_spec *spec, float *lo, float *hi, honed_context *ctx) {
  const honed_status status = honed_attr_range(spec, "clamp_lo", "clamp_hi", 0.0, 255.0, lo, hi, ctx);
  if (status != HONED_OK || (*lo >= 0.0f && *hi <= 255.0f)) return status;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "clamp_lo and clamp_hi are %g and %g, expected them within 0 and 255", (double)*lo,
                    (double)*hi);
}

honed_status honed_params_copy(const void *source, size_t bytes, void **params, honed_context *ctx) {
  void *copy = honed_aligned_alloc(bytes);
  if (copy == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %zu bytes", bytes);
  memcpy(copy, source, bytes);
  *params = copy;
  return HONED_OK;
}
