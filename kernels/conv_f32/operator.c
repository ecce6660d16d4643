#include <stdlib.h>

#include "base/check.h"
#include "conv_f32.h"

#define HONED_CONV_F32 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_CONV_F32

enum { pointwise_bytes = 20 * 1024 /* of planes that are read in place: stay in a first-level cache */ };
static const honed_float_form form = {.weights = HONED_F32, .unit_channels = 1, .pointwise_bytes = pointwise_bytes};

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_float_conv p;
  const honed_status status = honed_float_conv_create(spec, &form, kernels, &p, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status reshape(honed_call *call, honed_context *ctx) { return honed_float_conv_reshape(call, &form, ctx); }

const honed_op_type honed_op_conv_f32 = {"conv_f32", create, free, reshape, honed_float_conv_kernel_name, HONED_OP_PER_IMAGE};
