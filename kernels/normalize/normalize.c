#include "normalize.h"

#include <math.h>

#include "base/check.h"
#include "nd/shape.h"

enum { PARTS = 8 };

static double sum_of(const float *x, int64_t n, double mean, bool squares) {
  double parts[PARTS] = {0};
  for (int64_t i = 0; i < n; i += PARTS) {
    const int count = n - i < PARTS ? (int)(n - i) : PARTS;
    for (int p = 0; p < count; p++) {
      const double d = (double)x[i + p] - mean;
      parts[p] += squares ? d * d : d;
    }
  }
  for (int half = PARTS / 2; half > 0; half /= 2) {
    for (int p = 0; p < half; p++) parts[p] += parts[p + half];
  }
  return parts[0];
}

honed_statistics honed_statistics_of(const float *x, int64_t n, double epsilon) {
  const double mean = sum_of(x, n, 0, false) / (double)n;
  return (honed_statistics){mean, 1 / sqrt(sum_of(x, n, mean, true) / (double)n + epsilon)};
}

honed_status honed_normalize_const(const honed_op_spec *spec, int index, const float **out, int64_t *count, honed_context *ctx) {
  *count = index < spec->num_consts ? honed_tensor_count(&spec->consts[index]) : 0;
  return honed_const_get(spec, index, HONED_F32, *count, (const void **)out, ctx);
}

honed_status honed_normalize_epsilon(const honed_op_spec *spec, float *epsilon, honed_context *ctx) {
  const honed_status status = honed_attr_finite(spec, "epsilon", 1e-5, epsilon, ctx);
  return status == HONED_OK && *epsilon < 0 ? honed_fail(ctx, HONED_INVALID_ARTIFACT, "epsilon is %g", (double)*epsilon) : status;
}

honed_status honed_normalize_check(const honed_op_spec *spec, float *epsilon, honed_context *ctx) {
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  return status == HONED_OK ? honed_normalize_epsilon(spec, epsilon, ctx) : status;
}

honed_status honed_normalize_channels(honed_call *call, int64_t channels, int64_t *inner, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  if (x->rank < 2 || x->dims[1] != channels) {
    char text[128];
    honed_tensor_describe(x, text, sizeof text);
    return honed_fail(ctx, HONED_INVALID_SHAPE, "input is %s: expected %lld channels", text, (long long)channels);
  }
  *inner = honed_nd_product(x->dims, 2, x->rank);
  return honed_call_output(call, 0, x->rank, x->dims, ctx);
}
