#include <stdlib.h>

#include "base/select.h"
#include "sparse_conv_u8s8.h"

#define HONED_SPARSE_CONV_U8S8 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_SPARSE_CONV_U8S8

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_sparse_conv_u8s8 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status == HONED_OK && spec->inputs[0]->dtype != HONED_U8) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "input is %s, expected u8", honed_dtype_name(spec->inputs[0]->dtype));
  }
  if (status == HONED_OK) status = honed_conv_lists_create(spec, &p.conv, 4, HONED_S8, &p.lists, ctx);
  if (status == HONED_OK) status = honed_requantize_create(spec, 3, p.conv.out_channels, &p.requantize, ctx);
  if (status != HONED_OK) return status;
  p.kernel = honed_kernel_select(kernels, spec->isa);
  honed_sparse_conv_u8s8 *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static honed_status make_plan(honed_call *call, honed_context *ctx) {
  const honed_sparse_conv_u8s8 *p = call->params;
  honed_sparse_conv_plan *plan = NULL;
  const honed_status status = honed_sparse_conv_plan_create(&p->conv, &p->lists, call, &plan, ctx);
  if (status != HONED_OK) return status;
  call->plan = plan;
  call->num_tasks = call->outputs[0]->dims[0] * plan->blocks * plan->chunks;
  call->scratch_bytes = 0;
  call->kernel = kernels[p->kernel].kernel;
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_sparse_conv_u8s8 *p = call->params;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  call->make_plan = make_plan;
  return status;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_sparse_conv_u8s8 *)params)->kernel].name; }

const honed_op_type honed_op_sparse_conv_u8s8 = {
    "sparse_conv_u8s8", create, free, reshape, kernel_name, HONED_OP_OVER_SECOND | HONED_OP_PER_IMAGE};
