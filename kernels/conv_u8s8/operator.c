#include <stdlib.h>

#include "base/check.h"
#include "base/select.h"
#include "channels.h"
#include "conv_u8s8.h"

#define HONED_CONV_U8S8 HONED_KERNEL_ROW
static const honed_kernel_row pixels_in_lanes[] = {
#include "kernels.inc"
};
static const honed_kernel_row of_one_tap[] = {
#include "pointwise.inc"
};
static const honed_kernel_row channels_in_lanes[] = {
#include "channels.inc"
};
#undef HONED_CONV_U8S8

enum {
  channels_band_bytes = 512 * 1024, /* rows of a plane are dearer to cut than the second-level cache is short */
  word_bytes = 24 * 1024,           /* stay in a first-level cache */
};

/* Whether a kernel reads the weights of `pairs`. */
static bool adds_pairs(honed_kernel kernel) {
#if defined(__x86_64__)
  return kernel == honed_conv_u8s8_2x2__avx2 || kernel == honed_conv_u8s8_pointwise__avx2 || kernel == honed_conv_u8s8_8x2__avx512 ||
         kernel == honed_conv_u8s8_pointwise__avx512;
#else
  (void)kernel;
  return false;
#endif
}

/* Kernels for one tap take all input channels of a word of 64 pixels in turn, which should fit in half a first-level cache; those that
 * add pairs take them from the second as fast. */
static bool takes_words(const honed_conv_u8s8 *p, uint32_t isa) {
  if (p->rows != HONED_CONV_U8S8_ROWS || honed_conv_taps(&p->conv) != 1) return false;
  return p->quads * 256 <= word_bytes || adds_pairs(of_one_tap[honed_kernel_select(of_one_tap, isa)].kernel);
}

static const honed_kernel_row *kernels_of(const honed_conv_u8s8 *p) {
  if (p->rows == HONED_CONV_U8S8_CHANNELS) return channels_in_lanes;
  return p->words ? of_one_tap : pixels_in_lanes;
}

static honed_band_layout layout_of(const honed_conv_u8s8 *p) {
  const honed_kernel_row *kernels = kernels_of(p);
  const int64_t band_bytes = kernels == channels_in_lanes ? channels_band_bytes : p->words ? word_bytes : HONED_BAND_BYTES;
  return (honed_band_layout){
      .units = p->quads, .rows = p->rows, .plane_pixels = 64, .band_bytes = band_bytes, .tile_vectors = p->words ? 4 : 3};
}

static void destroy(void *params) {
  honed_conv_pairs_destroy(&((honed_conv_u8s8 *)params)->pairs);
  free(params);
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
  honed_conv_u8s8 p = {0};
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
  p.words = takes_words(&p, spec->isa);
  p.kernel = honed_kernel_select(kernels_of(&p), spec->isa);
  if (adds_pairs(kernels_of(&p)[p.kernel].kernel))
    status = honed_conv_pairs_create(weights, c->group * blocks, p.quads, honed_conv_taps(c), p.rows, &p.pairs, ctx);
  if (status == HONED_OK) status = honed_params_copy(&p, sizeof p, params, ctx);
  if (status != HONED_OK) honed_conv_pairs_destroy(&p.pairs);
  return status;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_conv_u8s8 *p = call->params;
  call->kernel = kernels_of(p)[p->kernel].kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, false, ctx);
  const honed_band_layout layout = layout_of(p);
  if (status == HONED_OK) status = honed_band_plan_create(&p->conv, &layout, call, ctx);
  if (status == HONED_OK && p->rows == HONED_CONV_U8S8_CHANNELS)
    call->scratch_bytes = (size_t)(channels_words_offset(call->plan) + channels_words_bytes(call->plan));
  return status;
}

static const char *kernel_name(const void *params) { return kernels_of(params)[((const honed_conv_u8s8 *)params)->kernel].name; }

const honed_op_type honed_op_conv_u8s8 = {"conv_u8s8", create, destroy, reshape, kernel_name, HONED_OP_PER_IMAGE};
