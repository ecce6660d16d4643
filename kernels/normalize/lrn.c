/* lrn: each element over a power of the squares of its neighbours in other channels.
 *
 *   y[c] = x[c] / (bias + alpha / size · Σ x[j]²)^beta       c - ⌊(size - 1) / 2⌋ ≤ j ≤ c + ⌈(size - 1) / 2⌉ */
#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "nd/shape.h"
#include "normalize.h"

enum { COLUMNS = 256 };

typedef struct lrn_params {
  int64_t size;
  float alpha, beta, bias;
} lrn_params;

typedef struct lrn_plan {
  int64_t channels, inner, pieces; /* of COLUMNS elements of each channel */
} lrn_plan;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  lrn_params p;
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "size", 0, 1, INT32_MAX, &p.size, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "alpha", 1e-4, &p.alpha, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "beta", 0.75, &p.beta, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "bias", 1.0, &p.bias, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static double power(double base, double beta) {
  return beta == 0.75 ? sqrt(base) * sqrt(sqrt(base)) : pow(base, beta); /* the usual exponent, ten times as fast */
}

/* `count` elements of channel c, all channels being `inner` apart. */
static void normalize(const lrn_params *p, const float *x, float *y, int64_t c, int64_t channels, int64_t inner, int64_t count) {
  double squares[COLUMNS] = {0};
  const int64_t before = (p->size - 1) / 2, first = c > before ? c - before : 0;
  const int64_t after = p->size - 1 - before, last = channels - 1 - c > after ? c + after : channels - 1;
  for (int64_t j = first; j <= last; j++) {
    for (int64_t i = 0; i < count; i++) squares[i] += (double)x[j * inner + i] * (double)x[j * inner + i];
  }
  const double factor = (double)p->alpha / (double)p->size;
  for (int64_t i = 0; i < count; i++) {
    y[c * inner + i] = (float)((double)x[c * inner + i] / power((double)p->bias + factor * squares[i], (double)p->beta));
  }
}

/* A task is one piece of all channels of one image. */
static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const lrn_plan *plan = call->plan;
  for (int64_t task = begin; task < end; task++) {
    const int64_t column = task % plan->pieces * COLUMNS, left = plan->inner - column;
    const int64_t at = task / plan->pieces * plan->channels * plan->inner + column;
    for (int64_t c = 0; c < plan->channels; c++) {
      normalize(call->params, (const float *)call->inputs[0]->data + at, (float *)call->outputs[0]->data + at, c, plan->channels,
                plan->inner, left < COLUMNS ? left : COLUMNS);
    }
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  honed_status status = honed_call_alloc(call, sizeof(lrn_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  lrn_plan *plan = call->plan;
  *plan = (lrn_plan){.channels = x->rank > 1 ? x->dims[1] : 0};
  status = honed_normalize_channels(call, plan->channels, &plan->inner, ctx);
  plan->pieces = (plan->inner + COLUMNS - 1) / COLUMNS;
  call->kernel = kernel;
  call->num_tasks = status == HONED_OK ? x->dims[0] * plan->pieces : 0;
  call->scratch_bytes = 0;
  return status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_lrn"; }

const honed_op_type honed_op_lrn = {"lrn", create, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
