#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "resize.h"

enum { max_size = 1 << 30, task_elements = 8192 };

static const struct {
  honed_isa isa;
  const honed_resize_kernel *kernel;
} variants[] = {
#define HONED_RESIZE_VARIANT(isa, variant) {isa, &honed_resize_linear_kernel__##variant},
#include "kernels.inc"
#undef HONED_RESIZE_VARIANT
};

static honed_resize_kernel select(honed_isa isa) {
  int row = 0;
  while ((variants[row].isa & isa) != variants[row].isa) row++;
  return *variants[row].kernel;
}

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
  honed_status status = honed_attr_int(spec, out_names[axis], 0, 0, max_size, &p->out[axis], ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, scale_names[axis], 0.0, &p->scale[axis], ctx);
  const bool sized = p->out[axis] > 0 || p->like;
  if (status != HONED_OK || p->scale[axis] > 0 || (p->scale[axis] == 0 && sized)) return status;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attributes %s and %s are %lld and %g, expected a size or a scale above 0",
                    out_names[axis], scale_names[axis], (long long)p->out[axis], (double)p->scale[axis]);
}

static honed_status read_attributes(const honed_op_spec *spec, honed_resize_params *p, honed_context *ctx) {
  p->like = spec->num_inputs > 1 && spec->inputs[1] != NULL;
  honed_status status = read_axis(spec, 0, p, ctx);
  if (status == HONED_OK) status = read_axis(spec, 1, p, ctx);
  if (status == HONED_OK) {
    status = honed_attr_int(spec, "coordinate_mode", 0, 0, HONED_RESIZE_COORDINATE_MODES - 1, &p->coordinate_mode, ctx);
  }
  if (status == HONED_OK) status = honed_attr_int(spec, "nearest_mode", 0, 0, HONED_RESIZE_NEAREST_MODES - 1, &p->nearest_mode, ctx);
  return status;
}

static honed_status create_nearest(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_resize_params p = {.kernel = {"honed_resize_nearest", honed_resize_nearest}};
  honed_status status = check_tensors(spec, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *in = spec->inputs[0];
  if (in->dtype != HONED_F32 && in->dtype != HONED_U8) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input 0 is %s, expected f32 or u8", honed_dtype_name(in->dtype));
  }
  status = read_attributes(spec, &p, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status create_linear(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_resize_params p = {.kernel = select(spec->isa)};
  honed_status status = check_tensors(spec, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = read_attributes(spec, &p, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

/* Allocates the arrays of one axis: `arrays` of near, far and weight. */
static honed_status allocate_axis(honed_call *call, int64_t size, int arrays, honed_resize_axis *axis, honed_context *ctx) {
  void *memory[3] = {NULL, NULL, NULL};
  for (int i = 0; i < arrays; i++) {
    const honed_status status = honed_call_alloc(call, (size_t)size * 4, &memory[i], ctx);
    if (status != HONED_OK) return status;
  }
  *axis = (honed_resize_axis){memory[0], memory[1], memory[2]};
  return HONED_OK;
}

/* The r for which column x of the output is column x / r of the input; 0: none. */
static int64_t find_repeat(const int32_t *columns, int64_t size, int64_t out) {
  const int64_t repeat = out / size;
  if (out % size != 0) return 0;
  for (int64_t x = 0; x < out; x++) {
    if (columns[x] != x / repeat) return 0;
  }
  return repeat;
}

/* Output sizes: those of input 1 where there is one. */
static honed_status find_sizes(const honed_call *call, int64_t *sizes, honed_context *ctx) {
  const honed_resize_params *p = call->params;
  for (int axis = 0; axis < 2; axis++) {
    const honed_status status = honed_resize_size(p, axis, call->inputs[0]->dims[2 + axis], &sizes[axis], ctx);
    if (status != HONED_OK) return status;
  }
  if (!p->like) return HONED_OK;
  const honed_tensor *like = call->inputs[1];
  if (like->rank != 4 || like->dims[2] < 1 || like->dims[2] > max_size || like->dims[3] < 1 || like->dims[3] > max_size) {
    char text[128];
    honed_tensor_describe(like, text, sizeof text);
    return honed_fail(ctx, HONED_INVALID_SHAPE, "input 1 is %s, expected rank 4 with 1 to %d pixels along h and w", text, max_size);
  }
  memcpy(sizes, like->dims + 2, 2 * sizeof *sizes);
  return HONED_OK;
}

static honed_status reshape(honed_call *call, int arrays, honed_context *ctx) {
  const honed_resize_params *p = call->params;
  const int64_t *in = call->inputs[0]->dims;
  int64_t dims[4] = {in[0], in[1], 0, 0};
  void *memory = NULL;
  honed_status status = find_sizes(call, dims + 2, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, 4, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(honed_resize_plan), &memory, ctx);
  if (status != HONED_OK) return status;
  honed_resize_plan *plan = memory;
  status = allocate_axis(call, dims[2], arrays, &plan->rows, ctx);
  if (status == HONED_OK) status = allocate_axis(call, dims[3], arrays, &plan->columns, ctx);
  if (status != HONED_OK) return status;
  plan->blocks = honed_blocks_make(dims[2], dims[3], task_elements);
  plan->repeat = 0;
  call->plan = plan;
  call->kernel = p->kernel.kernel;
  call->num_tasks = dims[0] * dims[1] * plan->blocks.per_plane;
  return HONED_OK;
}

static honed_status reshape_nearest(honed_call *call, honed_context *ctx) {
  const honed_resize_params *p = call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const honed_status status = reshape(call, 1, ctx);
  if (status != HONED_OK) return status;
  honed_resize_plan *plan = call->plan;
  honed_resize_nearest_axis(p, 0, x->dims[2], y->dims[2], &plan->rows);
  honed_resize_nearest_axis(p, 1, x->dims[3], y->dims[3], &plan->columns);
  plan->repeat = find_repeat(plan->columns.near, x->dims[3], y->dims[3]);
  call->scratch_bytes = 0;
  return HONED_OK;
}

static honed_status reshape_linear(honed_call *call, honed_context *ctx) {
  const honed_resize_params *p = call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const honed_status status = reshape(call, 3, ctx);
  if (status != HONED_OK) return status;
  honed_resize_plan *plan = call->plan;
  honed_resize_linear_axis(p, 0, x->dims[2], y->dims[2], &plan->rows);
  honed_resize_linear_axis(p, 1, x->dims[3], y->dims[3], &plan->columns);
  call->scratch_bytes = (size_t)(x->dims[3] + HONED_OVERREAD) * sizeof(float);
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const honed_resize_params *)params)->kernel.name; }

const honed_op_type honed_op_resize_nearest = {
    .name = "resize_nearest", .create = create_nearest, .destroy = free, .reshape = reshape_nearest, .kernel_name = kernel_name};

const honed_op_type honed_op_resize_linear = {
    .name = "resize_linear", .create = create_linear, .destroy = free, .reshape = reshape_linear, .kernel_name = kernel_name};
