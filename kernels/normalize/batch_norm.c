#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "normalize.h"

typedef struct batch_norm_params {
  int64_t channels;
  float epsilon;
  const float *scale, *bias, *mean, *variance; /* of each channel */
} batch_norm_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  batch_norm_params p = {0};
  honed_status status = honed_normalize_check(spec, &p.epsilon, ctx);
  if (status == HONED_OK) status = honed_normalize_const(spec, 0, &p.scale, &p.channels, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 1, HONED_F32, p.channels, (const void **)&p.bias, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 2, HONED_F32, p.channels, (const void **)&p.mean, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 3, HONED_F32, p.channels, (const void **)&p.variance, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

/* A task is one channel of one image. */
static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const batch_norm_params *p = call->params;
  const int64_t n = honed_tensor_count(call->inputs[0]) / call->num_tasks;
  for (int64_t task = begin; task < end; task++) {
    const float *x = (const float *)call->inputs[0]->data + task * n;
    float *y = (float *)call->outputs[0]->data + task * n;
    const int64_t c = task % p->channels;
    const double scale = (double)p->scale[c] / sqrt((double)p->variance[c] + (double)p->epsilon);
    const double mean = (double)p->mean[c], bias = (double)p->bias[c];
    for (int64_t i = 0; i < n; i++) y[i] = (float)(((double)x[i] - mean) * scale + bias);
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const batch_norm_params *p = call->params;
  int64_t inner = 0;
  const honed_status status = honed_normalize_channels(call, p->channels, &inner, ctx);
  call->kernel = kernel;
  call->num_tasks = inner == 0 ? 0 : call->inputs[0]->dims[0] * p->channels;
  call->scratch_bytes = 0;
  return status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_batch_norm"; }

const honed_op_type honed_op_batch_norm = {"batch_norm", create, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
