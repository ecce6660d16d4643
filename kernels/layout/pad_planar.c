/* pad_planar: ONNX Pad over H and W; planar -> planar, f32 or u8.
 *
 * Attributes pad_top, pad_left, pad_bottom, pad_right (negative: rows and columns are cut off); mode: 0 constant, 1 reflect (the
 * border is not repeated; the padding is smaller than the image), 2 edge; value: what constant pads with, a float of f32, an
 * integer of u8. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/planes.h"

enum { max_pad = 1 << 15, task_elements = 8192 };
enum { mode_constant, mode_reflect, mode_edge };

typedef struct pad_params {
  int64_t top, left, bottom, right, mode;
  uint8_t value_u8;
  float value_f32;
} pad_params;

typedef struct pad_plan {
  honed_blocks blocks;
  int64_t *columns;             /* per output column: the input's, or -1 */
  int64_t copy_begin, copy_end; /* output columns that are input columns one after the other */
} pad_plan;

/* The input position of output position i, or -1. */
static int64_t source(int64_t i, int64_t pad, int64_t size, int64_t mode) {
  const int64_t at = i - pad;
  if (at >= 0 && at < size) return at;
  if (mode == mode_constant) return -1;
  if (mode == mode_edge) return at < 0 ? 0 : size - 1;
  return at < 0 ? -at : 2 * (size - 1) - at;
}

/* The pixels at output columns [begin, end). */
static void fill_columns(const pad_params *p, const pad_plan *plan, const char *from, char *to, int64_t element, int64_t begin,
                         int64_t end) {
  for (int64_t x = begin; x < end; x++) {
    const int64_t at = plan->columns[x];
    if (element == 1) {
      to[x] = at < 0 ? (char)p->value_u8 : from[at];
    } else {
      memcpy(to + 4 * x, at < 0 ? (const char *)&p->value_f32 : from + 4 * at, 4);
    }
  }
}

static void fill_row(const pad_params *p, char *to, int64_t element, int64_t width) {
  if (element == 1) memset(to, p->value_u8, (size_t)width);
  for (int64_t x = 0; x < width && element == 4; x++) memcpy(to + 4 * x, &p->value_f32, 4);
}

/* One row of output; `from` is its row of input, or NULL. */
static void pad_row(const pad_params *p, const pad_plan *plan, const char *from, char *to, int64_t element, int64_t width) {
  if (from == NULL) {
    fill_row(p, to, element, width);
    return;
  }
  const int64_t copied = plan->copy_end - plan->copy_begin;
  fill_columns(p, plan, from, to, element, 0, plan->copy_begin);
  if (copied > 0) memcpy(to + plan->copy_begin * element, from + plan->columns[plan->copy_begin] * element, (size_t)(copied * element));
  fill_columns(p, plan, from, to, element, plan->copy_end, width);
}

static void pad(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const pad_params *p = call->params;
  const pad_plan *plan = call->plan;
  const honed_tensor *in = call->inputs[0], *out = call->outputs[0];
  const honed_planes x = honed_planes_of(in), y = honed_planes_of(out);
  for (int64_t task = begin; task < end; task++) {
    const honed_block block = honed_block_at(&plan->blocks, out->dims[2], task);
    const char *from = x.data + block.plane * x.plane_bytes;
    char *to = y.data + block.plane * y.plane_bytes;
    for (int64_t row = block.row_begin; row < block.row_end; row++) {
      const int64_t at = source(row, p->top, in->dims[2], p->mode);
      pad_row(p, plan, at < 0 ? NULL : from + at * x.row_bytes, to + row * y.row_bytes, y.element_bytes, out->dims[3]);
    }
    honed_planar_fill_gaps(out, to, block.row_begin, block.row_end);
  }
}

static honed_status read_value(const honed_op_spec *spec, pad_params *p, honed_context *ctx) {
  if (spec->inputs[0]->dtype == HONED_F32) return honed_attr_float(spec, "value", 0.0, &p->value_f32, ctx);
  int64_t value = 0;
  const honed_status status = honed_attr_int(spec, "value", 0, 0, 255, &value, ctx);
  p->value_u8 = (uint8_t)value;
  return status;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  pad_params p = {0};
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->inputs[0], "input 0", HONED_PLANAR, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->outputs[0], "output 0", HONED_PLANAR, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype type = spec->inputs[0]->dtype;
  if (type != HONED_F32 && type != HONED_U8) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input 0 is %s, expected f32 or u8", honed_dtype_name(type));
  }
  status = honed_attr_int(spec, "pad_top", 0, -max_pad, max_pad, &p.top, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "pad_left", 0, -max_pad, max_pad, &p.left, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "pad_bottom", 0, -max_pad, max_pad, &p.bottom, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "pad_right", 0, -max_pad, max_pad, &p.right, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "mode", 0, mode_constant, mode_edge, &p.mode, ctx);
  if (status == HONED_OK) status = read_value(spec, &p, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

/* That there is something to reflect or repeat. */
static honed_status check_size(int64_t size, int64_t before, int64_t behind, int64_t mode, honed_context *ctx) {
  const int64_t largest = before > behind ? before : behind;
  if ((mode == mode_reflect && largest >= size && largest > 0) || (mode == mode_edge && size == 0)) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "padding %lld and %lld of %lld pixels, expected less than the image", (long long)before,
                      (long long)behind, (long long)size);
  }
  return HONED_OK;
}

static void plan_columns(const pad_params *p, int64_t in_width, int64_t out_width, pad_plan *plan) {
  for (int64_t x = 0; x < out_width; x++) plan->columns[x] = source(x, p->left, in_width, p->mode);
  const int64_t begin = p->left > 0 ? p->left : 0, end = p->left + in_width;
  plan->copy_begin = begin < out_width ? begin : out_width;
  plan->copy_end = end < plan->copy_begin ? plan->copy_begin : end < out_width ? end : out_width;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const pad_params *p = call->params;
  const int64_t *in = call->inputs[0]->dims;
  const int64_t dims[4] = {in[0], in[1], in[2] + p->top + p->bottom, in[3] + p->left + p->right};
  void *memory = NULL, *columns = NULL;
  honed_status status = check_size(in[2], p->top, p->bottom, p->mode, ctx);
  if (status == HONED_OK) status = check_size(in[3], p->left, p->right, p->mode, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, 4, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(pad_plan), &memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)dims[3] * sizeof(int64_t), &columns, ctx);
  if (status != HONED_OK) return status;
  pad_plan *plan = memory;
  plan->columns = columns;
  plan->blocks = honed_blocks_make(dims[2], dims[3], task_elements);
  plan_columns(p, in[3], dims[3], plan);
  call->plan = plan;
  call->kernel = pad;
  call->scratch_bytes = 0;
  call->num_tasks = dims[0] * dims[1] * plan->blocks.per_plane;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_pad_planar"; }

const honed_op_type honed_op_pad_planar = {
    .name = "pad_planar", .create = create, .destroy = free, .reshape = reshape, .kernel_name = kernel_name, .flags = HONED_OP_PER_IMAGE};
