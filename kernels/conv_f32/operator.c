#include <stdlib.h>

#include "base/select.h"
#include "conv_f32.h"

#define HONED_CONV_F32 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_CONV_F32

enum { pointwise_bytes = 20 * 1024 /* of a band without halo: stay in a first-level cache */ };

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_conv_f32 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status != HONED_OK) return status;
  const honed_conv *c = &p.conv;
  const int64_t blocks = (c->out_channels / c->group + HONED_CONV_F32_ROWS - 1) / HONED_CONV_F32_ROWS;
  const void *weights = NULL;
  status = honed_const_get(spec, 0, HONED_F32, blocks * HONED_CONV_F32_ROWS * honed_conv_ids(c), &weights, ctx);
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
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, honed_conv_is_pointwise(&p->conv), ctx);
  const int64_t band_bytes = honed_conv_taps(&p->conv) == 1 ? pointwise_bytes : HONED_BAND_BYTES;
  const honed_band_layout layout = {.units = p->conv.in_channels / p->conv.group,
                                    .rows = HONED_CONV_F32_ROWS,
                                    .plane_pixels = HONED_VECTOR,
                                    .band_bytes = band_bytes,
                                    .tile_vectors = 3};
  return status == HONED_OK ? honed_band_plan_create(&p->conv, &layout, call, ctx) : status;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_conv_f32 *)params)->kernel].name; }

const honed_op_type honed_op_conv_f32 = {"conv_f32", create, free, reshape, kernel_name, 0};
