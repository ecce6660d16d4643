#include <stdlib.h>

#include "base/select.h"
#include "conv/reach.h"
#include "depthwise_f32.h"

#define HONED_DEPTHWISE_F32 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
static const honed_kernel_row whole_kernels[] = {
#include "whole.inc"
};
#undef HONED_DEPTHWISE_F32

static void destroy(void *params) {
  honed_depthwise_f32 *p = params;
  free(p->taps);
  free(p);
}

static honed_status list_taps(honed_depthwise_f32 *p, honed_context *ctx) {
  const int64_t count = honed_conv_taps(&p->conv);
  p->taps = malloc((size_t)count * sizeof *p->taps);
  if (p->taps == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld taps", (long long)count);
  for (int64_t i = 0; i < count; i++) p->taps[i] = (honed_tap){i / p->conv.kernel_w, i % p->conv.kernel_w};
  return HONED_OK;
}

static honed_status create_conv(const honed_op_spec *spec, honed_conv *conv, honed_context *ctx) {
  int64_t whole = 0;
  honed_status status = honed_attr_int(spec, "whole", 0, 0, 1, &whole, ctx);
  if (status == HONED_OK) status = whole ? honed_conv_create_whole(spec, conv, ctx) : honed_conv_create(spec, conv, ctx);
  if (status == HONED_OK) status = honed_depthwise_check(conv, ctx);
  if (status == HONED_OK && spec->inputs[0]->layout != HONED_PLANAR) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "input is dense, expected planes");
  }
  if (status == HONED_OK && whole && (conv->stride_w > 2 || (conv->stride_w == 2 && conv->dilation_w != 1))) {
    status =
        honed_fail(ctx, HONED_INVALID_ARTIFACT, "whole input with a stride of %lld and a dilation of %lld columns, expected 1, or 2 and 1",
                   (long long)conv->stride_w, (long long)conv->dilation_w);
  }
  return status;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_depthwise_f32 *p = calloc(1, sizeof *p);
  if (p == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  const void *weights = NULL;
  honed_status status = create_conv(spec, &p->conv, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 0, HONED_F32, p->conv.out_channels * honed_conv_taps(&p->conv), &weights, ctx);
  if (status == HONED_OK) status = honed_output_f32_create(spec, 1, p->conv.out_channels, &p->output, ctx);
  if (status == HONED_OK) status = list_taps(p, ctx);
  if (status != HONED_OK) {
    destroy(p);
    return status;
  }
  p->weights = weights;
  p->kernel = honed_kernel_select(p->conv.whole ? whole_kernels : kernels, spec->isa);
  *params = p;
  return HONED_OK;
}

static const honed_kernel_row *row_of(const honed_depthwise_f32 *p) { return (p->conv.whole ? whole_kernels : kernels) + p->kernel; }

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_depthwise_f32 *p = call->params;
  call->kernel = row_of(p)->kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (p->conv.whole) {
    call->num_tasks = call->outputs[0]->dims[0] * call->outputs[0]->dims[1];
    call->scratch_bytes = 0;
    return status;
  }
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, true, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  if (status == HONED_OK) status = honed_plane_plan_create(&p->conv, p->taps, honed_conv_taps(&p->conv), call, ctx);
  if (status != HONED_OK) return status;
  honed_plane_plan *plan = call->plan;
  return honed_conv_reach(&p->conv, call, &plan->columns, ctx);
}

static const char *kernel_name(const void *params) { return row_of(params)->name; }

const honed_op_type honed_op_depthwise_f32 = {"depthwise_f32", create, destroy, reshape, kernel_name, HONED_OP_PER_IMAGE};
