#include "float_conv.h"

#include "base/integers.h"

enum { tile_vectors = 3 };

/* Per group. */
static int64_t units_of(const honed_conv *c, const honed_float_form *form) {
  return honed_divide_up(c->in_channels / c->group, form->unit_channels);
}

honed_status honed_float_conv_create(const honed_op_spec *spec, const honed_float_form *form, const honed_kernel_row *kernels,
                                     honed_float_conv *out, honed_context *ctx) {
  honed_float_conv p;
  int64_t whole = 0;
  honed_status status = honed_attr_int(spec, "whole", 0, 0, form->unit_channels == 1, &whole, ctx);
  if (status == HONED_OK) status = whole ? honed_conv_create_whole(spec, &p.conv, ctx) : honed_conv_create(spec, &p.conv, ctx);
  if (status == HONED_OK && whole && p.conv.stride_w != 2) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "whole input with a stride of %lld columns, expected 2", (long long)p.conv.stride_w);
  }
  if (status != HONED_OK) return status;
  const honed_conv *c = &p.conv;
  const int64_t rows = c->group * honed_divide_up(c->out_channels / c->group, HONED_FLOAT_ROWS) * HONED_FLOAT_ROWS;
  const int64_t count = rows * units_of(c, form) * form->unit_channels * honed_conv_taps(c);
  const void *weights = NULL;
  status = honed_const_get(spec, 0, form->weights, count, &weights, ctx);
  if (status == HONED_OK) status = honed_output_f32_create(spec, 1, c->out_channels, &p.output, ctx);
  if (status != HONED_OK) return status;
  p.weights = weights;
  p.kernel = &kernels[honed_kernel_select(kernels, spec->isa)];
  *out = p;
  return HONED_OK;
}

/* How many pixels beyond whole vectors are taken along, one each, by the tiles of three vectors: all, or none where tiles are fewer. Four
 * last vectors are two tiles of two. An activation runs over whole bands, and has to come last. */
static int64_t pixels_along(const honed_float_conv *p, int64_t pixels) {
  const int64_t rest = pixels % HONED_VECTOR, vectors = pixels / HONED_VECTOR;
  const int64_t tiles = vectors % tile_vectors == 1 ? (vectors - 4) / tile_vectors : vectors / tile_vectors;
  return p->output.gate.kind == HONED_GATE_NONE && rest <= honed_smaller(tiles, HONED_FLOAT_REST) ? rest : 0;
}

/* What the operands' gaps and strides have to be. */
static honed_status check_operands(const honed_conv *c, const honed_call *call, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  const int64_t reach = honed_conv_reach_w(c);
  if (c->whole && y->gap_cols < reach) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "output has gaps of %d columns, expected at least %lld", y->gap_cols, (long long)reach);
  }
  const honed_status status = c->whole ? HONED_OK : honed_conv_check_gaps(c, call, false, ctx);
  return status == HONED_OK ? honed_conv_check_strides(call, c->whole || honed_conv_is_pointwise(c), ctx) : status;
}

honed_status honed_float_conv_reshape(honed_call *call, const honed_float_form *form, honed_context *ctx) {
  const honed_float_conv *p = call->params;
  call->kernel = p->kernel->kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = check_operands(&p->conv, call, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *y = call->outputs[0];
  const bool of_planes = form->unit_channels == 1 && honed_conv_taps(&p->conv) == 1 && !p->conv.whole;
  const bool in_place = of_planes && call->inputs[0]->row_stride == y->row_stride;
  const honed_band_layout layout = {.units = units_of(&p->conv, form),
                                    .rows = HONED_FLOAT_ROWS,
                                    .plane_pixels = HONED_VECTOR,
                                    .band_bytes = honed_conv_taps(&p->conv) == 1 ? form->pointwise_bytes : HONED_BAND_BYTES,
                                    .tile_vectors = tile_vectors,
                                    .in_place = in_place,
                                    .along = in_place ? pixels_along(p, honed_planar_extent(y)) : 0};
  return honed_band_plan_create(&p->conv, &layout, call, ctx);
}

const char *honed_float_conv_kernel_name(const void *params) { return ((const honed_float_conv *)params)->kernel->name; }
