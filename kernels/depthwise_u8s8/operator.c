#include <stdlib.h>

#include "base/select.h"
#include "conv/pairs.h"
#include "depthwise_u8s8.h"

#define HONED_DEPTHWISE_U8S8 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "kernels.inc"
};
#undef HONED_DEPTHWISE_U8S8

static void destroy(void *params) {
  honed_depthwise_u8s8 *p = params;
  free(p->segments);
  free(p->weights);
  free(p->orders);
  free(p);
}

/* Taps kx, kx + stride, ... of one row read adjacent columns of one phase plane, if the dilation is 1: up to four of them are a segment.
 * Otherwise every tap is one. Returns how many there are; `segments` may be NULL. */
static int64_t cut_segments(const honed_conv *c, honed_tap *segments) {
  int64_t count = 0;
  for (int64_t ky = 0; ky < c->kernel_h; ky++) {
    for (int64_t kx = 0; kx < c->kernel_w; kx++) {
      if (c->dilation_w == 1 && kx / c->stride_w % 4 != 0) continue;
      if (segments != NULL) segments[count] = (honed_tap){ky, kx};
      count++;
    }
  }
  return count;
}

static void pack_segment(const honed_conv *c, const honed_tap *first, const int8_t *taps, int8_t *out) {
  const int64_t step = c->dilation_w == 1 ? c->stride_w : c->kernel_w;
  for (int64_t k = 0; k < 4; k++) {
    const int64_t kx = first->kx + k * step;
    out[k] = kx < c->kernel_w ? taps[first->ky * c->kernel_w + kx] : 0;
  }
}

static bool is_safe(int8_t a, int8_t b) { return abs(a) + abs(b) <= HONED_PAIR_SUM; }

static honed_depthwise_order find_order(const int8_t *w) {
  if (is_safe(w[0], w[1]) && is_safe(w[2], w[3])) return HONED_DEPTHWISE_0123;
  if (is_safe(w[0], w[2]) && is_safe(w[1], w[3])) return HONED_DEPTHWISE_0213;
  if (is_safe(w[0], w[3]) && is_safe(w[1], w[2])) return HONED_DEPTHWISE_0312;
  return HONED_DEPTHWISE_ORDERS;
}

static honed_status build(honed_depthwise_u8s8 *p, const int8_t *taps, honed_context *ctx) {
  const honed_conv *c = &p->conv;
  p->num_segments = cut_segments(c, NULL);
  p->segments = malloc((size_t)p->num_segments * sizeof *p->segments);
  p->weights = malloc((size_t)(p->num_segments * c->out_channels) * 4);
  p->orders = malloc((size_t)(p->num_segments * c->out_channels));
  if (p->segments == NULL || p->weights == NULL || p->orders == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for weights");
  cut_segments(c, p->segments);
  int8_t *out = p->weights;
  for (int64_t oc = 0; oc < c->out_channels; oc++) {
    for (int64_t s = 0; s < p->num_segments; s++, out += 4) {
      pack_segment(c, &p->segments[s], taps + oc * honed_conv_taps(c), out);
      p->orders[oc * p->num_segments + s] = (uint8_t)find_order(out);
    }
  }
  return HONED_OK;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_depthwise_u8s8 *p = calloc(1, sizeof *p);
  if (p == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for parameters");
  const void *taps = NULL;
  honed_status status = honed_conv_create(spec, &p->conv, ctx);
  if (status == HONED_OK) status = honed_depthwise_check(&p->conv, ctx);
  if (status == HONED_OK && spec->inputs[0]->dtype != HONED_U8) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "input is %s, expected u8", honed_dtype_name(spec->inputs[0]->dtype));
  }
  if (status == HONED_OK) status = honed_const_get(spec, 0, HONED_S8, p->conv.out_channels * honed_conv_taps(&p->conv), &taps, ctx);
  if (status == HONED_OK) status = honed_requantize_create(spec, 1, p->conv.out_channels, &p->requantize, ctx);
  if (status == HONED_OK) status = build(p, taps, ctx);
  if (status != HONED_OK) {
    destroy(p);
    return status;
  }
  p->kernel = honed_kernel_select(kernels, spec->isa);
  *params = p;
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_depthwise_u8s8 *p = call->params;
  call->kernel = kernels[p->kernel].kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  return status == HONED_OK ? honed_plane_plan_create(&p->conv, p->segments, p->num_segments, call, ctx) : status;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_depthwise_u8s8 *)params)->kernel].name; }

const honed_op_type honed_op_depthwise_u8s8 = {"depthwise_u8s8", create, destroy, reshape, kernel_name, HONED_OP_PER_IMAGE};
