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
  honed_status status = honed_conv_create(spec, &p.conv, ctx);
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

honed_status honed_float_conv_reshape(honed_call *call, const honed_float_form *form, honed_context *ctx) {
  const honed_float_conv *p = call->params;
  call->kernel = p->kernel->kernel;
  honed_status status = honed_conv_reshape(&p->conv, call, ctx);
  if (status == HONED_OK) status = honed_conv_check_gaps(&p->conv, call, false, ctx);
  if (status == HONED_OK) status = honed_conv_check_strides(call, honed_conv_is_pointwise(&p->conv), ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *y = call->outputs[0];
  const bool in_place = form->unit_channels == 1 && honed_conv_taps(&p->conv) == 1 && call->inputs[0]->row_stride == y->row_stride;
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
