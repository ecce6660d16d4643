#include <stdlib.h>

#include "base/check.h"
#include "nd/shape.h"
#include "pool_nd.h"

enum { TASK_ELEMENTS = 16384 };

typedef struct pool_nd_params {
  int rank; /* of the windows */
  honed_window axes[HONED_POOL_ND_RANK];
  honed_max_function max; /* NULL: averages */
  int64_t bytes, count_include_pad, column_major;
} pool_nd_params;

typedef struct pool_nd_plan {
  int64_t outputs, outputs_per_task, plane; /* outputs of all, elements of a plane of the input */
  int64_t strides[HONED_POOL_ND_RANK];      /* of the input, within a plane */
} pool_nd_plan;

static honed_status list_get(const honed_op_spec *spec, int index, int count, int64_t lo, int64_t hi, const int64_t **out,
                             honed_context *ctx) {
  honed_nd_list list;
  const honed_status status = honed_nd_list_get(spec, index, count, &list, ctx);
  if (status != HONED_OK) return status;
  if (list.count != count)
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "constant %d has %d elements, expected %d", index, list.count, count);
  for (int i = 0; i < count; i++) {
    if (list.values[i] < lo || list.values[i] > hi) {
      return honed_fail(ctx, HONED_INVALID_ARTIFACT, "constant %d holds %lld, expected %lld to %lld", index, (long long)list.values[i],
                        (long long)lo, (long long)hi);
    }
  }
  *out = list.values;
  return HONED_OK;
}

static honed_status read_windows(const honed_op_spec *spec, pool_nd_params *p, honed_context *ctx) {
  const int64_t *kernel, *strides, *dilations, *pads;
  honed_nd_list first;
  int64_t ceil = 0;
  honed_status status = honed_nd_list_get(spec, 0, HONED_POOL_ND_RANK, &first, ctx);
  if (status != HONED_OK) return status;
  if (first.count < 1) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "windows without a dimension");
  p->rank = first.count;
  status = list_get(spec, 0, p->rank, 1, HONED_WINDOW_MAX_KERNEL, &kernel, ctx);
  if (status == HONED_OK) status = list_get(spec, 1, p->rank, 1, HONED_WINDOW_MAX_STEP, &strides, ctx);
  if (status == HONED_OK) status = list_get(spec, 2, p->rank, 1, HONED_WINDOW_MAX_STEP, &dilations, ctx);
  if (status == HONED_OK) status = list_get(spec, 3, 2 * p->rank, 0, HONED_WINDOW_MAX_STEP, &pads, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "ceil_mode", 0, 0, 1, &ceil, ctx);
  for (int i = 0; i < p->rank && status == HONED_OK; i++) {
    p->axes[i] = (honed_window){kernel[i], strides[i], dilations[i], pads[i], pads[p->rank + i], ceil != 0};
  }
  return status;
}

static honed_status create_max(const honed_op_spec *spec, void **out, honed_context *ctx) {
  pool_nd_params p = {0};
  honed_status status = honed_nd_arity(spec, 1, 1, spec->num_outputs == 2 ? 2 : 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx);
  if (status == HONED_OK && spec->num_outputs == 2) status = honed_check_dtype(spec->outputs[1], "output 1", HONED_S64, ctx);
  if (status == HONED_OK) status = read_windows(spec, &p, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "column_major", 0, 0, 1, &p.column_major, ctx);
  if (status != HONED_OK) return status;
  p.max = honed_max_function_of(spec->inputs[0]->dtype);
  p.bytes = (int64_t)honed_dtype_bytes(spec->inputs[0]->dtype);
  if (p.max == NULL) return honed_fail(ctx, HONED_UNSUPPORTED, "maxima of %s", honed_dtype_name(spec->inputs[0]->dtype));
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static honed_status create_average(const honed_op_spec *spec, void **out, honed_context *ctx) {
  pool_nd_params p = {.bytes = sizeof(float)};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = read_windows(spec, &p, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "count_include_pad", 0, 0, 1, &p.count_include_pad, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

/* The valid taps of the window of output `index`, counted within its plane; and how many elements an average divides by. */
static honed_taps find_taps(const honed_call *call, int64_t index, double *divisor) {
  const pool_nd_params *p = call->params;
  const pool_nd_plan *plan = call->plan;
  honed_taps t = {.rank = p->rank, .count = 1};
  *divisor = 1;
  for (int i = p->rank - 1; i >= 0; i--) {
    const honed_window *w = &p->axes[i];
    const int64_t size = call->inputs[0]->dims[2 + i], windows = call->outputs[0]->dims[2 + i], o = index % windows;
    int64_t first = 0, ignored = 0, counted = 0;
    index /= windows;
    honed_window_clip(w, o, 0, size, &first, &t.taps[i]);
    honed_window_clip(w, o, -w->pad_begin, size + w->pad_end, &ignored, &counted);
    *divisor *= (double)(p->count_include_pad ? counted : t.taps[i]);
    t.steps[i] = w->dilation * plan->strides[i];
    t.count *= t.taps[i];
    t.start += (o * w->stride - w->pad_begin + first * w->dilation) * plan->strides[i];
  }
  if (t.count == 0) t.start = 0;
  return t;
}

/* The place in a plane whose first dimension is the innermost. */
static int64_t transpose_place(const honed_call *call, int64_t place) {
  const int rank = ((const pool_nd_params *)call->params)->rank;
  int64_t index[HONED_POOL_ND_RANK], result = 0;
  for (int i = rank - 1; i >= 0; i--) {
    index[i] = place % call->inputs[0]->dims[2 + i];
    place /= call->inputs[0]->dims[2 + i];
  }
  for (int i = rank - 1; i >= 0; i--) result = result * call->inputs[0]->dims[2 + i] + index[i];
  return result;
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const pool_nd_params *p = call->params;
  const pool_nd_plan *plan = call->plan;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const int64_t per_plane = honed_nd_product(y->dims, 2, y->rank);
  const int64_t stop = end * plan->outputs_per_task < plan->outputs ? end * plan->outputs_per_task : plan->outputs;
  for (int64_t i = begin * plan->outputs_per_task; i < stop; i++) {
    const char *from = (const char *)x->data + i / per_plane * plan->plane * p->bytes;
    double divisor = 0;
    const honed_taps taps = find_taps(call, i % per_plane, &divisor);
    if (p->max == NULL) {
      ((float *)y->data)[i] = (float)(honed_taps_sum(&taps, (const float *)(const void *)from) / divisor);
      continue;
    }
    const int64_t place = p->max(&taps, from, (char *)y->data + i * p->bytes);
    if (call->num_outputs < 2) continue;
    ((int64_t *)call->outputs[1]->data)[i] = i / per_plane * plan->plane + (p->column_major ? transpose_place(call, place) : place);
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const pool_nd_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  if (x->rank != p->rank + 2) return honed_fail(ctx, HONED_INVALID_SHAPE, "%d-D windows over a tensor of rank %d", p->rank, x->rank);
  int64_t dims[HONED_MAX_RANK] = {x->dims[0], x->dims[1]}, taps = 1;
  honed_status status = HONED_OK;
  for (int i = 0; i < p->rank && status == HONED_OK; i++) {
    status = honed_window_count(&p->axes[i], x->dims[2 + i], &dims[2 + i], ctx);
    if (taps < TASK_ELEMENTS) taps *= p->axes[i].kernel;
  }
  for (int i = 0; i < call->num_outputs && status == HONED_OK; i++) status = honed_call_output(call, i, x->rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(pool_nd_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  pool_nd_plan *plan = call->plan;
  plan->outputs = honed_tensor_count(call->outputs[0]);
  plan->outputs_per_task = taps < TASK_ELEMENTS ? TASK_ELEMENTS / taps : 1;
  plan->plane = honed_nd_product(x->dims, 2, x->rank);
  honed_nd_strides(p->rank, x->dims + 2, plan->strides);
  call->kernel = kernel;
  call->num_tasks = (plan->outputs + plan->outputs_per_task - 1) / plan->outputs_per_task;
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) {
  return ((const pool_nd_params *)params)->max != NULL ? "honed_max_pool_nd" : "honed_average_pool_nd";
}

const honed_op_type honed_op_max_pool_nd = {"max_pool_nd", create_max, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
const honed_op_type honed_op_average_pool_nd = {"average_pool_nd", create_average, free, reshape, kernel_name, HONED_OP_PER_IMAGE};
