#include <stdlib.h>

#include "base/check.h"
#include "normalize.h"

typedef struct group_norm_params {
  int64_t channels, groups;
  float epsilon;
  const float *scale, *bias; /* of each channel */
} group_norm_params;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  group_norm_params p = {0};
  honed_status status = honed_normalize_check(spec, &p.epsilon, ctx);
  if (status == HONED_OK) status = honed_normalize_const(spec, 0, &p.scale, &p.channels, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 1, HONED_F32, p.channels, (const void **)&p.bias, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "num_groups", 0, 0, INT32_MAX, &p.groups, ctx);
  if (status != HONED_OK) return status;
  if (p.groups == 0) p.groups = p.channels;
  if (p.groups == 0 || p.channels % p.groups != 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%lld channels in %lld groups", (long long)p.channels, (long long)p.groups);
  }
  return honed_params_copy(&p, sizeof p, out, ctx);
}

/* A task is one group of one image. */
static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const group_norm_params *p = call->params;
  const int64_t per_group = p->channels / p->groups, n = honed_tensor_count(call->inputs[0]) / call->num_tasks, inner = n / per_group;
  for (int64_t task = begin; task < end; task++) {
    const float *x = (const float *)call->inputs[0]->data + task * n;
    float *y = (float *)call->outputs[0]->data + task * n;
    const honed_statistics s = honed_statistics_of(x, n, (double)p->epsilon);
    for (int64_t c = 0; c < per_group; c++) {
      const int64_t channel = task % p->groups * per_group + c;
      const double scale = s.inverse_deviation * (double)p->scale[channel], bias = (double)p->bias[channel];
      for (int64_t i = c * inner; i < (c + 1) * inner; i++) y[i] = (float)(((double)x[i] - s.mean) * scale + bias);
    }
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const group_norm_params *p = call->params;
  int64_t inner = 0;
  const honed_status status = honed_normalize_channels(call, p->channels, &inner, ctx);
  call->kernel = kernel;
  call->num_tasks = inner == 0 ? 0 : call->inputs[0]->dims[0] * p->groups;
  call->scratch_bytes = 0;
  return status;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_group_norm"; }

const honed_op_type honed_op_group_norm = {"group_norm", create, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
