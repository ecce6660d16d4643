#include <stdlib.h>

#include "base/check.h"
#include "pool.h"

enum { buffer_bytes = 16384 };

static const struct {
  honed_isa isa;
  const honed_pool_kernel *kernels;
} variants[] = {
#define HONED_POOL_VARIANT(isa, variant) {isa, honed_pool_kernels__##variant},
#include "kernels.inc"
#undef HONED_POOL_VARIANT
};

static honed_pool_kernel select(honed_isa isa, int function) {
  int row = 0;
  while ((variants[row].isa & isa) != variants[row].isa) row++;
  return variants[row].kernels[function];
}

/* One planar input, one output of the same type, f32 or u8. */
static honed_status check_tensors(const honed_op_spec *spec, honed_layout output, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->inputs[0], "input 0", HONED_PLANAR, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->outputs[0], "output 0", output, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx);
  if (status != HONED_OK) return status;
  const honed_dtype type = spec->inputs[0]->dtype;
  if (type == HONED_F32 || type == HONED_U8) return HONED_OK;
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input 0 is %s, expected f32 or u8", honed_dtype_name(type));
}

static honed_status read_requantization(const honed_op_spec *spec, honed_pool_params *p, honed_context *ctx) {
  if (spec->inputs[0]->dtype != HONED_U8) return HONED_OK;
  int64_t zero_point = 0;
  honed_status status = honed_attr_finite(spec, "scale", 1.0, &p->scale, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "offset", 0.0, &p->offset, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "input_scale", 1.0, &p->input_scale, ctx);
  if (status == HONED_OK) status = honed_attr_finite(spec, "output_scale", 1.0, &p->output_scale, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "zero_point", 0, 0, 255, &zero_point, ctx);
  p->zero_point = (float)zero_point;
  return status == HONED_OK ? honed_attr_u8_range(spec, &p->lo, &p->hi, ctx) : status;
}

/* The four types differ by the function's code for f32 (that for u8 follows it), by windows, and by averages. */
static honed_status create(const honed_op_spec *spec, int function, honed_layout output, void **params, honed_context *ctx) {
  honed_pool_params p = {0};
  int64_t include = 0;
  honed_status status = check_tensors(spec, output, ctx);
  if (status != HONED_OK) return status;
  p.kernel = select(spec->isa, spec->inputs[0]->dtype == HONED_U8 ? function + 1 : function);
  const bool windows = output == HONED_PLANAR;
  if (windows) status = honed_window_read(spec, 'h', &p.h, ctx);
  if (windows && status == HONED_OK) status = honed_window_read(spec, 'w', &p.w, ctx);
  const bool average = function == HONED_POOL_AVERAGE_F32 || function == HONED_POOL_GLOBAL_AVERAGE_F32;
  if (average && windows && status == HONED_OK) status = honed_attr_int(spec, "count_include_pad", 0, 0, 1, &include, ctx);
  if (average && status == HONED_OK) status = read_requantization(spec, &p, ctx);
  p.count_include_pad = include != 0;
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, params, ctx) : status;
}

static honed_status create_max(const honed_op_spec *spec, void **params, honed_context *ctx) {
  return create(spec, HONED_POOL_MAX_F32, HONED_PLANAR, params, ctx);
}

static honed_status create_average(const honed_op_spec *spec, void **params, honed_context *ctx) {
  return create(spec, HONED_POOL_AVERAGE_F32, HONED_PLANAR, params, ctx);
}

static honed_status create_global_max(const honed_op_spec *spec, void **params, honed_context *ctx) {
  return create(spec, HONED_POOL_GLOBAL_MAX_F32, HONED_DENSE, params, ctx);
}

static honed_status create_global_average(const honed_op_spec *spec, void **params, honed_context *ctx) {
  return create(spec, HONED_POOL_GLOBAL_AVERAGE_F32, HONED_DENSE, params, ctx);
}

static void plan_buffer(const honed_pool_params *p, const honed_tensor *x, const honed_tensor *y, size_t element, honed_pool_plan *plan) {
  const int64_t reach = honed_window_reach(&p->w), needed = (y->dims[3] - 1) * p->w.stride + reach + 1;
  const int64_t behind = needed - p->w.pad_begin;
  plan->columns = behind < 0 ? 0 : behind < x->dims[3] ? behind : x->dims[3];
  plan->flat = needed <= p->w.stride * y->row_stride;
  plan->buffer_stride = plan->flat ? p->w.stride * y->row_stride : needed;
  plan->blocks = honed_blocks_make(y->dims[2], plan->buffer_stride, (int64_t)(buffer_bytes / element));
  /* The last vector of outputs reads up to 64 windows behind the block. */
  plan->buffer_elements = plan->blocks.rows * plan->buffer_stride + (p->w.stride + 1) * 64 + reach;
}

static void count_columns(const honed_pool_params *p, int64_t width, int64_t windows, float *counts) {
  const int64_t lo = p->count_include_pad ? -p->w.pad_begin : 0;
  const int64_t hi = p->count_include_pad ? width + p->w.pad_end : width;
  for (int64_t i = 0; i < windows; i++) {
    int64_t first = 0, taps = 0;
    honed_window_clip(&p->w, i, lo, hi, &first, &taps);
    counts[i] = (float)taps;
  }
}

static honed_status reshape_windows(honed_call *call, honed_context *ctx, size_t element, bool average) {
  const honed_pool_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  honed_tensor *y = call->outputs[0];
  int64_t dims[4] = {x->dims[0], x->dims[1], 0, 0};
  honed_status status = honed_window_count(&p->h, x->dims[2], &dims[2], ctx);
  if (status == HONED_OK) status = honed_window_count(&p->w, x->dims[3], &dims[3], ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, 4, dims, ctx);
  void *memory = NULL, *counts = NULL;
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(honed_pool_plan), &memory, ctx);
  /* Rounded up to whole vectors. */
  if (status == HONED_OK && average) status = honed_call_alloc(call, (size_t)(dims[3] + 64) * sizeof(float), &counts, ctx);
  if (status != HONED_OK) return status;
  honed_pool_plan *plan = memory;
  *plan = (honed_pool_plan){.column_counts = counts};
  plan_buffer(p, x, y, element, plan);
  if (average) count_columns(p, x->dims[3], dims[3] + 64, plan->column_counts);
  call->plan = plan;
  call->kernel = p->kernel.kernel;
  call->scratch_bytes = (size_t)plan->buffer_elements * element;
  call->num_tasks = dims[0] * dims[1] * plan->blocks.per_plane;
  return HONED_OK;
}

static honed_status reshape_max(honed_call *call, honed_context *ctx) {
  return reshape_windows(call, ctx, honed_dtype_bytes(call->inputs[0]->dtype), false);
}

/* Sums are f32 or s32. */
static honed_status reshape_average(honed_call *call, honed_context *ctx) { return reshape_windows(call, ctx, 4, true); }

static honed_status reshape_global(honed_call *call, honed_context *ctx) {
  const honed_pool_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  const int64_t dims[4] = {x->dims[0], x->dims[1], 1, 1};
  if (x->dims[2] * x->dims[3] == 0) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "planes of %lld x %lld pixels, expected at least one pixel", (long long)x->dims[2],
                      (long long)x->dims[3]);
  }
  const honed_status status = honed_call_output(call, 0, 4, dims, ctx);
  if (status != HONED_OK) return status;
  call->plan = NULL;
  call->kernel = p->kernel.kernel;
  call->scratch_bytes = 0;
  call->num_tasks = dims[0] * dims[1];
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const honed_pool_params *)params)->kernel.name; }

#define HONED_POOL_TYPE(symbol, type_name, create_function, reshape_function) \
  const honed_op_type symbol = {                                              \
      .name = type_name,                                                      \
      .create = create_function,                                              \
      .destroy = free,                                                        \
      .reshape = reshape_function,                                            \
      .kernel_name = kernel_name,                                             \
      .flags = HONED_OP_PER_IMAGE,                                            \
  };

HONED_POOL_TYPE(honed_op_max_pool, "max_pool", create_max, reshape_max)
HONED_POOL_TYPE(honed_op_average_pool, "average_pool", create_average, reshape_average)
HONED_POOL_TYPE(honed_op_global_max_pool, "global_max_pool", create_global_max, reshape_global)
HONED_POOL_TYPE(honed_op_global_average_pool, "global_average_pool", create_global_average, reshape_global)
