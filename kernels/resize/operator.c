#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "resize.h"

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

static honed_status create_nearest(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_resize_params p = {.kernel = {"honed_resize_nearest", honed_resize_nearest}};
  const honed_status status = honed_resize_create(spec, HONED_RESIZE_TF_CROP_AND_RESIZE, &p, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *in = spec->inputs[0];
  if (in->dtype != HONED_F32 && in->dtype != HONED_U8) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input 0 is %s, expected f32 or u8", honed_dtype_name(in->dtype));
  }
  return honed_params_copy(&p, sizeof p, params, ctx);
}

static honed_status create_linear(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_resize_params p = {.kernel = select(spec->isa)};
  honed_status status = honed_resize_create(spec, HONED_RESIZE_TF_CROP_AND_RESIZE, &p, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
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

static honed_status reshape(honed_call *call, int arrays, honed_resize_params *p, honed_context *ctx) {
  const int64_t *in = call->inputs[0]->dims;
  int64_t dims[4] = {in[0], in[1], 0, 0};
  void *memory = NULL;
  honed_status status = honed_resize_sizes(call, p, dims + 2, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, 4, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(honed_resize_plan), &memory, ctx);
  if (status != HONED_OK) return status;
  honed_resize_plan *plan = memory;
  status = allocate_axis(call, dims[2], arrays, &plan->rows, ctx);
  if (status == HONED_OK) status = allocate_axis(call, dims[3], arrays, &plan->columns, ctx);
  if (status != HONED_OK) return status;
  plan->blocks = honed_blocks_make(dims[2], dims[3], HONED_RESIZE_TASK);
  plan->repeat = 0;
  call->plan = plan;
  call->kernel = p->kernel.kernel;
  call->num_tasks = dims[0] * dims[1] * plan->blocks.per_plane;
  return HONED_OK;
}

static honed_status reshape_nearest(honed_call *call, honed_context *ctx) {
  honed_resize_params p = *(const honed_resize_params *)call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const honed_status status = reshape(call, 1, &p, ctx);
  if (status != HONED_OK) return status;
  honed_resize_plan *plan = call->plan;
  honed_resize_nearest_axis(&p, 0, x->dims[2], y->dims[2], &plan->rows);
  honed_resize_nearest_axis(&p, 1, x->dims[3], y->dims[3], &plan->columns);
  plan->repeat = find_repeat(plan->columns.near, x->dims[3], y->dims[3]);
  call->scratch_bytes = 0;
  return HONED_OK;
}

static honed_status reshape_linear(honed_call *call, honed_context *ctx) {
  honed_resize_params p = *(const honed_resize_params *)call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const honed_status status = reshape(call, 3, &p, ctx);
  if (status != HONED_OK) return status;
  honed_resize_plan *plan = call->plan;
  honed_resize_linear_axis(&p, 0, x->dims[2], y->dims[2], &plan->rows);
  honed_resize_linear_axis(&p, 1, x->dims[3], y->dims[3], &plan->columns);
  call->scratch_bytes = (size_t)(x->dims[3] + HONED_OVERREAD) * sizeof(float);
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const honed_resize_params *)params)->kernel.name; }

const honed_op_type honed_op_resize_nearest = {.name = "resize_nearest",
                                               .create = create_nearest,
                                               .destroy = free,
                                               .reshape = reshape_nearest,
                                               .kernel_name = kernel_name,
                                               .flags = HONED_OP_PER_IMAGE};

const honed_op_type honed_op_resize_linear = {.name = "resize_linear",
                                              .create = create_linear,
                                              .destroy = free,
                                              .reshape = reshape_linear,
                                              .kernel_name = kernel_name,
                                              .flags = HONED_OP_PER_IMAGE};
