#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "channels.h"

enum { max_attribute = 1 << 30 };

/* All planar, of one type and zero point. */
static honed_status check_tensors(const honed_op_spec *spec, honed_context *ctx) {
  const honed_tensor *out = spec->outputs[0];
  honed_status status = honed_check_layout(out, "output 0", HONED_PLANAR, ctx);
  for (int i = 0; i < spec->num_inputs && status == HONED_OK; i++) {
    const honed_tensor *in = spec->inputs[i];
    char name[32];
    snprintf(name, sizeof name, "input %d", i);
    if (in == NULL) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%s is missing", name);
    status = honed_check_layout(in, name, HONED_PLANAR, ctx);
    if (status == HONED_OK) status = honed_check_dtype(in, name, out->dtype, ctx);
    if (status == HONED_OK && in->dtype == HONED_U8 && in->zero_point != out->zero_point) {
      return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%s has zero point %d, expected the output's, %d", name, in->zero_point,
                        out->zero_point);
    }
  }
  return status;
}

static honed_status create_concat(const honed_op_spec *spec, void **params, honed_context *ctx) {
  const honed_channels_params p = {0};
  honed_status status = honed_spec_arity(spec, 1, HONED_MAX_INPUTS, 1, ctx);
  if (status == HONED_OK) status = check_tensors(spec, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status create_slice(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_channels_params p = {0};
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = check_tensors(spec, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "start", 0, 0, max_attribute, &p.start, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "channels", 0, 1, max_attribute, &p.channels, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "step", 1, 1, max_attribute, &p.step, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status create_shuffle(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_channels_params p = {0};
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = check_tensors(spec, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "groups", 0, 1, max_attribute, &p.groups, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

/* The sum of the inputs' channels, where their other dimensions agree. */
static honed_status count_channels(const honed_call *call, int64_t *channels, honed_context *ctx) {
  const honed_tensor *first = call->inputs[0];
  *channels = 0;
  for (int i = 0; i < call->num_inputs; i++) {
    const honed_tensor *in = call->inputs[i];
    if (in->dims[0] != first->dims[0] || in->dims[2] != first->dims[2] || in->dims[3] != first->dims[3]) {
      char text[2][128];
      honed_tensor_describe(first, text[0], sizeof text[0]);
      honed_tensor_describe(in, text[1], sizeof text[1]);
      return honed_fail(ctx, HONED_INVALID_SHAPE, "input %d is %s, expected it to differ from input 0, %s, in channels only", i, text[1],
                        text[0]);
    }
    if (__builtin_add_overflow(*channels, in->dims[1], channels)) return honed_fail(ctx, HONED_INVALID_SHAPE, "too many channels");
  }
  return HONED_OK;
}

static honed_status reshape_concat(honed_call *call, honed_context *ctx) {
  honed_channel_source *sources = NULL;
  int64_t channels = 0, out = 0;
  honed_status status = count_channels(call, &channels, ctx);
  if (status == HONED_OK) status = honed_channels_plan(call, channels, &sources, ctx);
  if (status != HONED_OK) return status;
  for (int i = 0; i < call->num_inputs; i++) {
    for (int64_t c = 0; c < call->inputs[i]->dims[1]; c++) sources[out++] = (honed_channel_source){i, c};
  }
  return HONED_OK;
}

static honed_status reshape_slice(honed_call *call, honed_context *ctx) {
  const honed_channels_params *p = call->params;
  const int64_t last = p->start + (p->channels - 1) * p->step;
  if (last >= call->inputs[0]->dims[1]) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "channel %lld of an input of %lld channels", (long long)last,
                      (long long)call->inputs[0]->dims[1]);
  }
  honed_channel_source *sources = NULL;
  const honed_status status = honed_channels_plan(call, p->channels, &sources, ctx);
  for (int64_t i = 0; status == HONED_OK && i < p->channels; i++) sources[i] = (honed_channel_source){0, p->start + i * p->step};
  return status;
}

static honed_status reshape_shuffle(honed_call *call, honed_context *ctx) {
  const honed_channels_params *p = call->params;
  const int64_t channels = call->inputs[0]->dims[1], per_group = channels / p->groups;
  if (channels % p->groups != 0) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld groups do not divide %lld channels", (long long)p->groups, (long long)channels);
  }
  honed_channel_source *sources = NULL;
  const honed_status status = honed_channels_plan(call, channels, &sources, ctx);
  for (int64_t i = 0; status == HONED_OK && i < channels; i++) {
    sources[i] = (honed_channel_source){0, i % p->groups * per_group + i / p->groups};
  }
  return status;
}

static const char *concat_name(const void *params) { return (void)params, "honed_concat_channels"; }
static const char *slice_name(const void *params) { return (void)params, "honed_slice_channels"; }
static const char *shuffle_name(const void *params) { return (void)params, "honed_channel_shuffle"; }

const honed_op_type honed_op_concat_channels = {.name = "concat_channels",
                                                .create = create_concat,
                                                .destroy = free,
                                                .reshape = reshape_concat,
                                                .kernel_name = concat_name,
                                                .flags = HONED_OP_PER_IMAGE};

const honed_op_type honed_op_slice_channels = {.name = "slice_channels",
                                               .create = create_slice,
                                               .destroy = free,
                                               .reshape = reshape_slice,
                                               .kernel_name = slice_name,
                                               .flags = HONED_OP_PER_IMAGE};

const honed_op_type honed_op_channel_shuffle = {.name = "channel_shuffle",
                                                .create = create_shuffle,
                                                .destroy = free,
                                                .reshape = reshape_shuffle,
                                                .kernel_name = shuffle_name,
                                                .flags = HONED_OP_PER_IMAGE};
