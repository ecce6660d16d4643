#include <stdlib.h>

#include "base/check.h"
#include "filter.h"

static const struct {
  honed_isa isa;
  const honed_resize_kernel *kernel;
} variants[] = {
#define HONED_RESIZE_VARIANT(isa, variant) {isa, &honed_resize_filter_kernel__##variant},
#include "kernels.inc"
#undef HONED_RESIZE_VARIANT
};

static honed_resize_kernel select(honed_isa isa) {
  int row = 0;
  while ((variants[row].isa & isa) != variants[row].isa) row++;
  return *variants[row].kernel;
}

static honed_status read_region(const honed_op_spec *spec, honed_resize_params *p, honed_context *ctx) {
  static const char *const names[2][2] = {{"roi_begin_h", "roi_end_h"}, {"roi_begin_w", "roi_end_w"}};
  honed_status status = HONED_OK;
  for (int i = 0; i < 4 && status == HONED_OK; i++) {
    status = honed_attr_finite(spec, names[i / 2][i % 2], i % 2, &p->roi[i / 2][i % 2], ctx);
  }
  return status;
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_filter_params p = {.resize.kernel = select(spec->isa)};
  honed_status status = honed_resize_create(spec, HONED_RESIZE_COORDINATE_MODES, &p.resize, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "filter", HONED_FILTER_LINEAR, 0, HONED_FILTERS - 1, &p.filter, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "antialias", 0, 0, 1, &p.antialias, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "exclude_outside", 0, 0, 1, &p.exclude_outside, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "cubic_a", -0.75, &p.cubic_a, ctx);
  if (status == HONED_OK) status = honed_attr_float(spec, "value", 0.0, &p.value, ctx);
  if (status == HONED_OK) status = read_region(spec, &p.resize, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  honed_resize_params p = ((const honed_filter_params *)call->params)->resize;
  const honed_tensor *x = call->inputs[0];
  int64_t dims[4] = {x->dims[0], x->dims[1], 0, 0};
  void *memory = NULL;
  honed_status status = honed_resize_sizes(call, &p, dims + 2, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, 4, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(honed_filter_plan), &memory, ctx);
  if (status != HONED_OK) return status;
  honed_filter_plan *plan = memory;
  status = honed_filter_axis_make(call, &p, 0, x->dims[2], dims[2], &plan->rows, ctx);
  if (status == HONED_OK) status = honed_filter_axis_make(call, &p, 1, x->dims[3], dims[3], &plan->columns, ctx);
  if (status != HONED_OK) return status;
  plan->blocks = honed_blocks_make(dims[2], dims[3], HONED_RESIZE_TASK);
  call->plan = plan;
  call->kernel = p.kernel.kernel;
  call->num_tasks = dims[0] * dims[1] * plan->blocks.per_plane;
  call->scratch_bytes = (size_t)(x->dims[3] + HONED_OVERREAD) * sizeof(float);
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const honed_filter_params *)params)->resize.kernel.name; }

const honed_op_type honed_op_resize_filter = {.name = "resize_filter",
                                              .create = create,
                                              .destroy = free,
                                              .reshape = reshape,
                                              .kernel_name = kernel_name,
                                              .flags = HONED_OP_PER_IMAGE};
