#include <stdlib.h>

#include "base/bf16.h"
#include "base/check.h"
#include "conv_bf16.h"

#define HONED_CONV_BF16 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_CONV_BF16

static const honed_float_form form = {.weights = HONED_U16, .unit_channels = 2, .pointwise_bytes = HONED_BAND_BYTES};

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_float_conv p;
  const honed_status status = honed_float_conv_create(spec, &form, kernels, &p, ctx);
  if (status != HONED_OK) return status;
  p.output.clamp_lo = honed_flush(p.output.clamp_lo);
  p.output.clamp_hi = honed_flush(p.output.clamp_hi);
  return honed_params_copy(&p, sizeof p, params, ctx);
}

static honed_status reshape(honed_call *call, honed_context *ctx) { return honed_float_conv_reshape(call, &form, ctx); }

const honed_op_type honed_op_conv_bf16 = {"conv_bf16", create, free, reshape, honed_float_conv_kernel_name, HONED_OP_PER_IMAGE};
