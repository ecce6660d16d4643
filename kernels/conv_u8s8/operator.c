#include <stdlib.h>

#include "base/select.h"
#include "conv_u8s8.h"

#define HONED_CONV_U8S8 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_CONV_U8S8

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_conv_u8s8 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status == HONED_OK && spec->inputs[0]->dtype != HONED_U8) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "input is %s, expected u8", honed_dtype_name(spec->inputs[0]->dtype));
  }
  if (status != HONED_OK) return status;
  const honed_conv *c = &p.conv;
  p.quads = (c->in_channels / c->group + 3) / 4;
  const int64_t blocks = (c->out_channels / c->group + HONED_CONV_U8S8_ROWS - 1) / HONED_CONV_U8S8_ROWS;
  const void *weights = NULL;
  status = honed_const_get(spec, 0, HONED_S8, c->group * blocks * p.quads * honed_conv_taps(c) * 4 * HONED_CONV_U8S8_ROWS, &weights, ctx);
  if (status == HONED_OK) status = honed_requantize_create(spec, 1, c->out_channels, &p.requantize, ctx);
  if (status != HONED_OK) return status;
  p.weights = weights;
  p.kernel = honed_kernel_select(kernels, spec->isa);
  honed_conv_u8s8 *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_conv_u8s8 *p = call->params;
  call->kernel = kernels[p->kernel].kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  const honed_band_layout layout = {.units = p->quads, .rows = HONED_CONV_U8S8_ROWS, .plane_pixels = 64, .band_bytes = HONED_BAND_BYTES};
  return status == HONED_OK ? honed_band_plan_create(&p->conv, &layout, call, ctx) : status;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_conv_u8s8 *)params)->kernel].name; }

const honed_op_type honed_op_conv_u8s8 = {"conv_u8s8", create, free, reshape, kernel_name, 0};
