#include <stdlib.h>

#include "base/select.h"
#include "channels.h"
#include "conv_u8s8.h"

#define HONED_CONV_U8S8 HONED_KERNEL_ROW
static const honed_kernel_row pixels_in_lanes[] = {
#include "kernels.inc"
};
static const honed_kernel_row channels_in_lanes[] = {
#include "channels.inc"
};
#undef HONED_CONV_U8S8

enum { channels_band_bytes = 512 * 1024 /* rows of a plane are dearer to cut than the second-level cache is short */ };

static const honed_kernel_row *kernel_of(const honed_conv_u8s8 *p) {
  return (p->rows == HONED_CONV_U8S8_CHANNELS ? channels_in_lanes : pixels_in_lanes) + p->kernel;
}

static honed_status read_rows(const honed_op_spec *spec, honed_conv_u8s8 *p, honed_context *ctx) {
  const honed_status status =
      honed_attr_int(spec, "rows", HONED_CONV_U8S8_ROWS, HONED_CONV_U8S8_ROWS, HONED_CONV_U8S8_CHANNELS, &p->rows, ctx);
  if (status == HONED_OK && p->rows != HONED_CONV_U8S8_ROWS && p->rows != HONED_CONV_U8S8_CHANNELS) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute rows is %lld, expected %d or %d", (long long)p->rows, HONED_CONV_U8S8_ROWS,
                      HONED_CONV_U8S8_CHANNELS);
  }
  return status;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_conv_u8s8 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status == HONED_OK && spec->inputs[0]->dtype != HONED_U8) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "input is %s, expected u8", honed_dtype_name(spec->inputs[0]->dtype));
  }
  if (status == HONED_OK) status = read_rows(spec, &p, ctx);
  if (status != HONED_OK) return status;
  const honed_conv *c = &p.conv;
  p.quads = (c->in_channels / c->group + 3) / 4;
  const int64_t blocks = honed_divide_up(c->out_channels / c->group, p.rows);
  const void *weights = NULL;
  status = honed_const_get(spec, 0, HONED_S8, c->group * blocks * p.quads * honed_conv_taps(c) * 4 * p.rows, &weights, ctx);
  if (status == HONED_OK) status = honed_requantize_create(spec, 1, c->out_channels, &p.requantize, ctx);
  if (status != HONED_OK) return status;
  p.weights = weights;
  p.kernel = 0;
  p.kernel = honed_kernel_select(kernel_of(&p), spec->isa);
  honed_conv_u8s8 *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_conv_u8s8 *p = call->params;
  const bool channels = p->rows == HONED_CONV_U8S8_CHANNELS;
  call->kernel = kernel_of(p)->kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  const honed_band_layout layout = {
      .units = p->quads, .rows = p->rows, .plane_pixels = 64, .band_bytes = channels ? channels_band_bytes : HONED_BAND_BYTES};
  if (status == HONED_OK) status = honed_band_plan_create(&p->conv, &layout, call, ctx);
  if (status == HONED_OK && channels) call->scratch_bytes = (size_t)(channels_words_offset(call->plan) + channels_words_bytes(call->plan));
  return status;
}

static const char *kernel_name(const void *params) { return kernel_of(params)->name; }

const honed_op_type honed_op_conv_u8s8 = {"conv_u8s8", create, free, reshape, kernel_name, 0};
