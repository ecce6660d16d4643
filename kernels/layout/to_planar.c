#include "to_planar.h"

#include <stdlib.h>

#include "base/integers.h"
#include "base/select.h"

#define HONED_TO_PLANAR HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "to_planar.inc"
};
#undef HONED_TO_PLANAR

enum { max_kernel = 1 << 20, max_stride = 1 << 10, max_pad = 1 << 12 };

static honed_status read_attributes(const honed_op_spec *spec, honed_to_planar *p, honed_context *ctx) {
  const struct {
    const char *name;
    int64_t fallback, lo, hi, *out;
  } fields[] = {
      {"kernel_h", 1, 1, max_kernel, &p->kernel_h},  {"kernel_w", 1, 1, max_kernel, &p->kernel_w},
      {"stride_h", 1, 1, max_stride, &p->stride_h},  {"stride_w", 1, 1, max_stride, &p->stride_w},
      {"pad_top", 0, 0, max_pad, &p->pad_top},       {"pad_left", 0, 0, max_pad, &p->pad_left},
      {"pad_bottom", 0, 0, max_pad, &p->pad_bottom}, {"pad_right", 0, 0, max_pad, &p->pad_right},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const honed_status status = honed_attr_int(spec, fields[i].name, fields[i].fallback, fields[i].lo, fields[i].hi, fields[i].out, ctx);
    if (status != HONED_OK) return status;
  }
  p->phases_h = honed_smaller(p->stride_h, p->kernel_h);
  p->phases_w = honed_smaller(p->stride_w, p->kernel_w);
  return HONED_OK;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  honed_to_planar p;
  if (status == HONED_OK) status = read_attributes(spec, &p, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *x = spec->inputs[0], *y = spec->outputs[0];
  if (y->layout != HONED_PLANAR || x->dtype != y->dtype || (y->dtype != HONED_F32 && y->dtype != HONED_U8)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "operands are %s and %s %s, expected f32 or u8 on both sides, the output planar",
                      honed_dtype_name(x->dtype), honed_dtype_name(y->dtype), y->layout == HONED_PLANAR ? "planar" : "dense");
  }
  if (p.stride_h == 1 && p.stride_w == 1 && (p.pad_top | p.pad_left | p.pad_bottom | p.pad_right) != 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "pads with stride 1: expected 0, the gaps are the padding");
  }
  p.kernel = honed_kernel_select(kernels, spec->isa);
  honed_to_planar *out = malloc(sizeof *out);
  if (out == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  *out = p;
  *params = out;
  return HONED_OK;
}

static int64_t phase_size(int64_t size, int64_t pads, int64_t kernel, int64_t stride) {
  return (size + pads - kernel) / stride + 1 + (kernel - 1) / stride;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_to_planar *p = call->params;
  const honed_tensor *x = call->inputs[0];
  if (x->rank != 4) return honed_fail(ctx, HONED_INVALID_SHAPE, "input has rank %d, expected 4", x->rank);
  int64_t height = x->dims[2], width = x->dims[3];
  if (p->stride_h > 1 || p->stride_w > 1) {
    if (height + p->pad_top + p->pad_bottom < p->kernel_h || width + p->pad_left + p->pad_right < p->kernel_w) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "an input of %lld x %lld pixels is smaller than the kernel of %lld x %lld",
                        (long long)height, (long long)width, (long long)p->kernel_h, (long long)p->kernel_w);
    }
    height = phase_size(height, p->pad_top + p->pad_bottom, p->kernel_h, p->stride_h);
    width = phase_size(width, p->pad_left + p->pad_right, p->kernel_w, p->stride_w);
  }
  const int64_t phases = p->phases_h * p->phases_w;
  call->kernel = kernels[p->kernel].kernel;
  call->num_tasks = x->dims[0] * x->dims[1] * p->phases_h;
  call->scratch_bytes = 0;
  call->plan = NULL;
  return honed_call_output(call, 0, 4, (const int64_t[]){x->dims[0], x->dims[1] * phases, height, width}, ctx);
}

static const char *kernel_name(const void *params) { return kernels[((const honed_to_planar *)params)->kernel].name; }

const honed_op_type honed_op_to_planar = {"to_planar", create, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
