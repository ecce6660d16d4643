#include "conv.h"

#include "base/integers.h"

enum { max_channels = 1 << 20, max_kernel = 1 << 10, max_stride = 1 << 10, max_pad = 1 << 12 };

static int64_t extent(int64_t kernel, int64_t dilation) { return (kernel - 1) * dilation; }

static void set_phases(honed_conv *c) {
  c->phases_h = c->whole ? 1 : honed_smaller(c->stride_h, extent(c->kernel_h, c->dilation_h) + 1);
  c->phases_w = c->whole ? 1 : honed_smaller(c->stride_w, extent(c->kernel_w, c->dilation_w) + 1);
}

static honed_status read_attributes(const honed_op_spec *spec, honed_conv *c, honed_context *ctx) {
  const struct {
    const char *name;
    int64_t fallback, lo, hi, *out;
  } fields[] = {
      {"in_channels", 0, 1, max_channels, &c->in_channels},
      {"out_channels", 0, 1, max_channels, &c->out_channels},
      {"group", 1, 1, max_channels, &c->group},
      {"kernel_h", 0, 1, max_kernel, &c->kernel_h},
      {"kernel_w", 0, 1, max_kernel, &c->kernel_w},
      {"stride_h", 1, 1, max_stride, &c->stride_h},
      {"stride_w", 1, 1, max_stride, &c->stride_w},
      {"dilation_h", 1, 1, max_stride, &c->dilation_h},
      {"dilation_w", 1, 1, max_stride, &c->dilation_w},
      {"pad_top", 0, 0, max_pad, &c->pad_top},
      {"pad_left", 0, 0, max_pad, &c->pad_left},
      {"pad_bottom", 0, 0, max_pad, &c->pad_bottom},
      {"pad_right", 0, 0, max_pad, &c->pad_right},
  };
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const honed_status status = honed_attr_int(spec, fields[i].name, fields[i].fallback, fields[i].lo, fields[i].hi, fields[i].out, ctx);
    if (status != HONED_OK) return status;
  }
  set_phases(c);
  return HONED_OK;
}

static honed_status create(const honed_op_spec *spec, bool whole, honed_conv *out, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 2, 1, ctx);
  if (status != HONED_OK) return status;
  honed_conv c = {.whole = whole};
  status = read_attributes(spec, &c, ctx);
  if (status != HONED_OK) return status;
  if (c.in_channels % c.group != 0 || c.out_channels % c.group != 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%lld input and %lld output channels do not divide into %lld groups",
                      (long long)c.in_channels, (long long)c.out_channels, (long long)c.group);
  }
  if (!whole && (c.stride_h > 1 || c.stride_w > 1) && (c.pad_top | c.pad_left | c.pad_bottom | c.pad_right) != 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "a strided convolution reads phases, which hold the padding: expected pads of 0");
  }
  const honed_tensor *residual = spec->num_inputs == 2 ? spec->inputs[1] : NULL;
  const bool planar = (whole || spec->inputs[0]->layout == HONED_PLANAR) && spec->outputs[0]->layout == HONED_PLANAR &&
                      (residual == NULL || residual->layout == HONED_PLANAR);
  if (!planar) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "operands are not all planar");
  if (residual != NULL && residual->dtype != spec->outputs[0]->dtype) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "residual is %s, expected the output's %s", honed_dtype_name(residual->dtype),
                      honed_dtype_name(spec->outputs[0]->dtype));
  }
  *out = c;
  return HONED_OK;
}

honed_status honed_conv_create(const honed_op_spec *spec, honed_conv *out, honed_context *ctx) { return create(spec, false, out, ctx); }

honed_status honed_conv_create_whole(const honed_op_spec *spec, honed_conv *out, honed_context *ctx) {
  return create(spec, true, out, ctx);
}

honed_conv honed_conv_split(const honed_conv *conv) {
  honed_conv c = *conv;
  if (!c.whole) return c;
  c.whole = false;
  c.pad_top = c.pad_left = c.pad_bottom = c.pad_right = 0;
  set_phases(&c);
  return c;
}

/* Of y, from one of x. */
static int64_t output_size(bool whole, int64_t size, int64_t pads, int64_t reach, int64_t stride) {
  if (!whole) return size + pads - reach / stride;
  return size + pads > reach ? (size + pads - reach - 1) / stride + 1 : 0;
}

honed_status honed_conv_reshape(const honed_conv *c, honed_call *call, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  honed_tensor *y = call->outputs[0];
  const int64_t planes = c->in_channels * c->phases_h * c->phases_w;
  if (x->rank != 4) return honed_fail(ctx, HONED_INVALID_SHAPE, "input has rank %d, expected 4", x->rank);
  if (x->dims[1] != planes) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "input has %lld channels, expected %lld", (long long)x->dims[1], (long long)planes);
  }
  const int64_t height = output_size(c->whole, x->dims[2], c->pad_top + c->pad_bottom, extent(c->kernel_h, c->dilation_h), c->stride_h);
  const int64_t width = output_size(c->whole, x->dims[3], c->pad_left + c->pad_right, extent(c->kernel_w, c->dilation_w), c->stride_w);
  if (height < 1 || width < 1) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "an input of %lld x %lld pixels is smaller than the kernel", (long long)x->dims[2],
                      (long long)x->dims[3]);
  }
  const honed_status status = honed_call_output(call, 0, 4, (const int64_t[]){x->dims[0], c->out_channels, height, width}, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *residual = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int i = 0; residual != NULL && i < 4; i++) {
    if (residual->dims[i] != y->dims[i]) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "residual's dimension %d is %lld, the output's is %lld", i, (long long)residual->dims[i],
                        (long long)y->dims[i]);
    }
  }
  return HONED_OK;
}

honed_status honed_conv_check_gaps(const honed_conv *c, const honed_call *call, bool any_columns, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  const int64_t rows = honed_larger(c->pad_top, c->pad_bottom), cols = honed_larger(c->pad_left, c->pad_right);
  if (x->gap_rows >= rows && (any_columns || x->gap_cols >= cols)) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_SHAPE, "input has gaps of %d rows and %d columns, expected at least %lld and %lld", x->gap_rows,
                    x->gap_cols, (long long)rows, (long long)cols);
}

honed_status honed_conv_check_strides(const honed_call *call, bool any_x, honed_context *ctx) {
  const int64_t out = call->outputs[0]->row_stride, in = any_x ? out : call->inputs[0]->row_stride;
  const int64_t residual = call->num_inputs == 2 && call->inputs[1] != NULL ? call->inputs[1]->row_stride : out;
  if (in == out && residual == out) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_SHAPE, "row strides differ: input %lld, output %lld, residual %lld", (long long)in, (long long)out,
                    (long long)residual);
}

int64_t honed_conv_tap_phase(const honed_conv *c, int64_t ky, int64_t kx) {
  return ky * c->dilation_h % c->stride_h * c->phases_w + kx * c->dilation_w % c->stride_w;
}

int64_t honed_conv_tap_shift(const honed_conv *c, int64_t row_stride, int64_t ky, int64_t kx) {
  const int64_t row = ky * c->dilation_h / c->stride_h - c->pad_top, column = kx * c->dilation_w / c->stride_w - c->pad_left;
  return row * row_stride + column;
}

honed_status honed_conv_offsets(const honed_conv *c, const honed_tensor *x, int32_t *out, honed_context *ctx) {
  if (x->image_stride + honed_planar_lead(x) > INT32_MAX / 4) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "an image of %lld elements is too large", (long long)x->image_stride);
  }
  const int64_t phases = c->phases_h * c->phases_w;
  for (int64_t channel = 0; channel < c->in_channels; channel++) {
    for (int64_t ky = 0; ky < c->kernel_h; ky++) {
      for (int64_t kx = 0; kx < c->kernel_w; kx++) {
        const int64_t plane = channel * phases + honed_conv_tap_phase(c, ky, kx);
        *out++ = (int32_t)(plane * x->plane_stride + honed_conv_tap_shift(c, x->row_stride, ky, kx));
      }
    }
  }
  return HONED_OK;
}
