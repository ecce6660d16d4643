#include <stdlib.h>

#include "base/select.h"
#include "conv_f32.h"

#define HONED_CONV_F32 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_CONV_F32

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_conv_f32 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status != HONED_OK) return status;
  const honed_conv *c = &p.conv;
  const int64_t blocks = (c->out_channels / c->group + HONED_ROWS - 1) / HONED_ROWS;
  const void *weights = NULL;
  status = honed_const_get(spec, 0, HONED_F32, blocks * HONED_ROWS * honed_conv_ids(c), &weights, ctx);
  if (status == HONED_OK) status = honed_output_f32_create(spec, 1, c->out_channels, &p.output, ctx);
  if (status != HONED_OK) return status;
  p.weights = weights;
  p.kernel = honed_kernel_select(kernels, spec->isa);
  honed_conv_f32 *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_conv_f32 *p = call->params;
  call->kernel = kernels[p->kernel].kernel;
  const honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  return status == HONED_OK ? honed_band_plan_create(&p->conv, p->conv.in_channels / p->conv.group, call, ctx) : status;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_conv_f32 *)params)->kernel].name; }

const honed_op_type honed_op_conv_f32 = {"conv_f32", create, free, reshape, kernel_name, 0};
