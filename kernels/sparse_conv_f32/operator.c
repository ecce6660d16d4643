#include <stdlib.h>

#include "base/select.h"
#include "code_plan.h"
#include "sparse_conv_f32.h"

#define HONED_SPARSE_CONV_F32 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_SPARSE_CONV_F32

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_sparse_conv_f32 p;
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
  if (status == HONED_OK) status = honed_conv_lists_create(spec, &p.conv, 1, HONED_F32, &p.lists, ctx);
  if (status == HONED_OK) status = honed_output_f32_create(spec, 3, p.conv.out_channels, &p.output, ctx);
  if (status != HONED_OK) return status;
  p.kernel = honed_kernel_select(kernels, spec->isa);
  honed_sparse_conv_f32 *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static honed_status make_plan(honed_call *call, honed_context *ctx) {
  const honed_sparse_conv_f32 *p = call->params;
  honed_status status = HONED_OK;
  bool written = false;
  int kernel = p->kernel;
  if ((kernels[kernel].isa & HONED_ISA_CODE) != 0) {
    status = honed_code_plan_create(&p->conv, &p->lists, &p->output, call, &written, ctx);
    if (!written) kernel++; /* the same without code of its own */
  }
  call->kernel = kernels[kernel].kernel;
  return status == HONED_OK && !written ? honed_sparse_f32_plan_create(&p->conv, &p->lists, call, ctx) : status;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_sparse_conv_f32 *p = call->params;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, true, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  call->make_plan = make_plan;
  return status;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_sparse_conv_f32 *)params)->kernel].name; }

const honed_op_type honed_op_sparse_conv_f32 = {"sparse_conv_f32", create,      free,
                                                reshape,           kernel_name, HONED_OP_OVER_SECOND | HONED_OP_PER_IMAGE};
