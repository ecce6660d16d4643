#include <math.h>
#include <string.h>

#include "base/check.h"
#include "resize.h"

static honed_status check_tensors(const honed_op_spec *spec, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->inputs[0], "input 0", HONED_PLANAR, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->outputs[0], "output 0", HONED_PLANAR, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx);
  return status;
}

/* out_h, scale_h of axis 0; out_w, scale_w of axis 1. */
static honed_status read_axis(const honed_op_spec *spec, int axis, honed_resize_params *p, honed_context *ctx) {
  static const char *const out_names[] = {"out_h", "out_w"}, *const scale_names[] = {"scale_h", "scale_w"};
  honed_status status = honed_attr_int(spec, out_names[axis], 0, 0, HONED_RESIZE_MAX_SIZE, &p->out[axis], ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, scale_names[axis], 0.0, &p->scale[axis], ctx);
  const bool sized = p->out[axis] > 0 || p->like;
  if (status != HONED_OK || p->scale[axis] > 0 || (p->scale[axis] == 0 && sized)) return status;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attributes %s and %s are %lld and %g, expected a size or a scale above 0",
                    out_names[axis], scale_names[axis], (long long)p->out[axis], (double)p->scale[axis]);
}

honed_status honed_resize_create(const honed_op_spec *spec, int modes, honed_resize_params *p, honed_context *ctx) {
  p->like = spec->num_inputs > 1 && spec->inputs[1] != NULL;
  honed_status status = check_tensors(spec, ctx);
  if (status == HONED_OK) status = read_axis(spec, 0, p, ctx);
  if (status == HONED_OK) status = read_axis(spec, 1, p, ctx);
  if (status == HONED_OK) {
    status = honed_attr_int(spec, "coordinate_mode", 0, 0, modes - 1, &p->coordinate_mode, ctx);
  }
  if (status == HONED_OK) status = honed_attr_int(spec, "nearest_mode", 0, 0, HONED_RESIZE_NEAREST_MODES - 1, &p->nearest_mode, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "aspect", 0, 0, HONED_RESIZE_ASPECTS - 1, &p->aspect, ctx);
  if (status == HONED_OK && p->aspect != HONED_RESIZE_STRETCH && (p->like || p->out[0] == 0 || p->out[1] == 0)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute aspect without sizes");
  }
  return status;
}

/* The size along an axis without `like`. */
static honed_status find_size(const honed_resize_params *p, int axis, int64_t size, int64_t *out, honed_context *ctx) {
  const float scaled = (float)size * p->scale[axis];
  const char name = axis == 0 ? 'h' : 'w';
  if (size < 1 || size > HONED_RESIZE_MAX_SIZE) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld pixels along %c, expected 1 to %d", (long long)size, name, HONED_RESIZE_MAX_SIZE);
  }
  if (p->out[axis] == 0 && !p->like && !(scaled >= 1.0f && scaled <= (float)HONED_RESIZE_MAX_SIZE)) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld pixels times scale_%c %g, expected a size of 1 to %d", (long long)size, name,
                      (double)p->scale[axis], HONED_RESIZE_MAX_SIZE);
  }
  *out = p->out[axis] != 0 || p->like ? p->out[axis] : (int64_t)scaled;
  return HONED_OK;
}

static honed_status keep_aspect(const int64_t *in, honed_resize_params *p, int64_t *sizes, honed_context *ctx) {
  const double h = (double)sizes[0] / (double)in[0], w = (double)sizes[1] / (double)in[1];
  const double scale = (h < w) == (p->aspect == HONED_RESIZE_NOT_LARGER) ? h : w;
  for (int axis = 0; axis < 2; axis++) {
    const double size = floor(scale * (double)in[axis] + 0.5);
    if (!(size >= 1 && size <= HONED_RESIZE_MAX_SIZE)) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "%lld pixels times %g, expected a size of 1 to %d", (long long)in[axis], scale,
                        HONED_RESIZE_MAX_SIZE);
    }
    sizes[axis] = (int64_t)size;
    p->scale[axis] = (float)scale;
  }
  return HONED_OK;
}

honed_status honed_resize_sizes(const honed_call *call, honed_resize_params *p, int64_t *sizes, honed_context *ctx) {
  const int64_t *in = call->inputs[0]->dims + 2;
  for (int axis = 0; axis < 2; axis++) {
    const honed_status status = find_size(p, axis, in[axis], &sizes[axis], ctx);
    if (status != HONED_OK) return status;
  }
  if (p->aspect != HONED_RESIZE_STRETCH) return keep_aspect(in, p, sizes, ctx);
  if (!p->like) return HONED_OK;
  const honed_tensor *like = call->inputs[1];
  if (like->rank != 4 || like->dims[2] < 1 || like->dims[2] > HONED_RESIZE_MAX_SIZE || like->dims[3] < 1 ||
      like->dims[3] > HONED_RESIZE_MAX_SIZE) {
    char text[128];
    honed_tensor_describe(like, text, sizeof text);
    return honed_fail(ctx, HONED_INVALID_SHAPE, "input 1 is %s, expected rank 4 with 1 to %d pixels along h and w", text,
                      HONED_RESIZE_MAX_SIZE);
  }
  memcpy(sizes, like->dims + 2, 2 * sizeof *sizes);
  return HONED_OK;
}
