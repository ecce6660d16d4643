#include <stdlib.h>

#include "base/integers.h"
#include "conv_winograd_f32.h"

#define HONED_CONV_WINOGRAD_F32(isa, function_2, function_4, function_4_4) HONED_KERNEL_ROW(isa, function_2)
static const honed_kernel_row kernels_2[] = {
#include "kernels.inc"
};
#undef HONED_CONV_WINOGRAD_F32
#define HONED_CONV_WINOGRAD_F32(isa, function_2, function_4, function_4_4) HONED_KERNEL_ROW(isa, function_4)
static const honed_kernel_row kernels_4[] = {
#include "kernels.inc"
};
#undef HONED_CONV_WINOGRAD_F32
#define HONED_CONV_WINOGRAD_F32(isa, function_2, function_4, function_4_4) HONED_KERNEL_ROW(isa, function_4_4)
static const honed_kernel_row kernels_4_4[] = {
#include "kernels.inc"
};
#undef HONED_CONV_WINOGRAD_F32

static honed_status check_shape(const honed_conv *c, int64_t tile, honed_context *ctx) {
  const int64_t kernel = c->kernel_h, stride = c->stride_h;
  const bool known = (stride == 1 && kernel == 3) || (stride == 2 && kernel >= 5 && kernel <= 8);
  if (!known || c->kernel_w != kernel || c->stride_w != stride || c->dilation_h != 1 || c->dilation_w != 1) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "expected a 3x3 kernel of stride 1 or one of 5x5 to 8x8 of stride 2, and dilation 1");
  }
  if (tile == 4 || (tile == 2 && stride == 1)) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute tile is %lld, expected 4, or 2 with stride 1", (long long)tile);
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_winograd_f32 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "tile", 0, 2, 4, &p.tile, ctx);
  if (status == HONED_OK) status = check_shape(&p.conv, p.tile, ctx);
  if (status != HONED_OK) return status;
  const honed_conv *c = &p.conv;
  const int64_t rows = (c->out_channels / c->group + HONED_WINOGRAD_ROWS - 1) / HONED_WINOGRAD_ROWS * HONED_WINOGRAD_ROWS;
  const int64_t taps = honed_divide_up(c->kernel_h, c->stride_h), size = p.tile + taps - 1;
  const void *weights = NULL;
  status = honed_const_get(spec, 0, HONED_F32, rows * c->in_channels * c->phases_h * c->phases_w * size * size, &weights, ctx);
  if (status == HONED_OK) status = honed_output_f32_create(spec, 1, c->out_channels, &p.output, ctx);
  if (status != HONED_OK) return status;
  p.weights = weights;
  const honed_kernel_row *kernels = p.tile == 2 ? kernels_2 : taps == 3 ? kernels_4 : kernels_4_4;
  p.kernel = &kernels[honed_kernel_select(kernels, spec->isa)];
  honed_winograd_f32 *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_winograd_f32 *p = call->params;
  call->kernel = p->kernel->kernel;
  const honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  return status == HONED_OK ? honed_winograd_plan_create(p, call, ctx) : status;
}

static const char *kernel_name(const void *params) { return ((const honed_winograd_f32 *)params)->kernel->name; }

const honed_op_type honed_op_conv_winograd_f32 = {"conv_winograd_f32", create, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
