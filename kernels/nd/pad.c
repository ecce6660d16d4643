/* pad: more elements at the ends of dimensions, constant or taken from the tensor; or, where a pad is negative, fewer. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "shape.h"

enum { TASK_BYTES = 65536, CONSTANT = -1 };

typedef enum pad_mode { PAD_CONSTANT = 0, PAD_REFLECT = 1, PAD_EDGE = 2, PAD_WRAP = 3 } pad_mode;

typedef struct pad_params {
  int64_t mode;
  honed_nd_list pads;
  char value[8];
} pad_params;

/* Of each dimension where an index of the output lies in the input, or CONSTANT; and the part of the rows that is copied as it is. */
typedef struct pad_plan {
  const int64_t *sources[HONED_MAX_RANK];
  int64_t strides[HONED_MAX_RANK];
  int64_t rows, row_length, rows_per_task, copy_begin, copy_end;
} pad_plan;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  pad_params p = {0};
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "mode", PAD_CONSTANT, PAD_CONSTANT, PAD_WRAP, &p.mode, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, 2 * HONED_MAX_RANK, &p.pads, ctx);
  const void *value = NULL;
  if (status == HONED_OK && spec->num_consts > 1) status = honed_const_get(spec, 1, spec->inputs[0]->dtype, 1, &value, ctx);
  if (status != HONED_OK) return status;
  if (value != NULL) memcpy(p.value, value, honed_dtype_bytes(spec->inputs[0]->dtype));
  return honed_params_copy(&p, sizeof p, out, ctx);
}

/* Index i, which may lie outside 0 ... n - 1. */
static int64_t source(int64_t i, int64_t n, pad_mode mode) {
  if (i >= 0 && i < n) return i;
  if (mode == PAD_CONSTANT) return CONSTANT;
  if (mode == PAD_EDGE || n == 1) return i < 0 ? 0 : n - 1;
  const int64_t period = mode == PAD_WRAP ? n : 2 * (n - 1);
  const int64_t phase = (i % period + period) % period;
  return phase < n ? phase : period - phase;
}

static void fill(char *y, const char *value, size_t size, int64_t n) {
  for (int64_t i = 0; i < n; i++) memcpy(y + i * (int64_t)size, value, size);
}

static void pad_row(const pad_plan *plan, const pad_params *p, const char *x, char *y, const int64_t *from, size_t size) {
  const int64_t step = (int64_t)size;
  for (int64_t i = 0; i < plan->row_length; i++) {
    if (i == plan->copy_begin && plan->copy_end > i) {
      memcpy(y + i * step, x + from[i] * step, (size_t)(plan->copy_end - i) * size);
      i = plan->copy_end - 1;
    } else {
      memcpy(y + i * step, from[i] == CONSTANT ? p->value : x + from[i] * step, size);
    }
  }
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const pad_params *p = call->params;
  const pad_plan *plan = call->plan;
  const honed_tensor *y = call->outputs[0];
  const size_t size = honed_dtype_bytes(y->dtype);
  const int64_t stop = end * plan->rows_per_task < plan->rows ? end * plan->rows_per_task : plan->rows;
  for (int64_t row = begin * plan->rows_per_task; row < stop; row++) {
    int64_t rest = row, offset = 0;
    bool outside = false;
    for (int i = y->rank - 2; i >= 0; i--) {
      const int64_t from = plan->sources[i][rest % y->dims[i]];
      outside = outside || from == CONSTANT;
      offset += from * plan->strides[i];
      rest /= y->dims[i];
    }
    char *out = (char *)y->data + row * plan->row_length * (int64_t)size;
    if (outside) {
      fill(out, p->value, size, plan->row_length);
    } else {
      const char *x = (const char *)call->inputs[0]->data + offset * (int64_t)size;
      pad_row(plan, p, x, out, y->rank > 0 ? plan->sources[y->rank - 1] : &(int64_t){0}, size);
    }
  }
}

static honed_status padded_shape(honed_call *call, int64_t *dims, honed_context *ctx) {
  const pad_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  if (p->pads.count != 2 * x->rank) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%d pads for a tensor of rank %d, expected two each", p->pads.count, x->rank);
  }
  for (int i = 0; i < x->rank; i++) {
    const int64_t begin = p->pads.values[i], end = p->pads.values[x->rank + i];
    if (begin < -x->dims[i] || __builtin_add_overflow(x->dims[i], begin, &dims[i]) || __builtin_add_overflow(dims[i], end, &dims[i])) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is %lld and cannot be padded by %lld and %lld", i, (long long)x->dims[i],
                        (long long)begin, (long long)end);
    }
    if (p->mode != PAD_CONSTANT && x->dims[i] == 0 && dims[i] > 0) {
      return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is 0: there is nothing to pad with", i);
    }
  }
  return honed_call_output(call, 0, x->rank, dims, ctx);
}

static honed_status fill_sources(honed_call *call, pad_plan *plan, honed_context *ctx) {
  const pad_params *p = call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  honed_nd_strides(x->rank, x->dims, plan->strides);
  for (int i = 0; i < x->rank; i++) {
    int64_t *sources = NULL;
    const honed_status status = honed_call_alloc(call, (size_t)y->dims[i] * sizeof *sources, (void **)&sources, ctx);
    if (status != HONED_OK) return status;
    for (int64_t j = 0; j < y->dims[i]; j++) sources[j] = source(j - p->pads.values[i], x->dims[i], (pad_mode)p->mode);
    plan->sources[i] = sources;
  }
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const pad_params *p = call->params;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  int64_t dims[HONED_MAX_RANK];
  honed_status status = padded_shape(call, dims, ctx);
  call->kernel = kernel;
  call->num_tasks = 0;
  call->scratch_bytes = 0;
  if (status != HONED_OK || honed_tensor_count(y) == 0) return status;
  if ((status = honed_call_alloc(call, sizeof(pad_plan), &call->plan, ctx)) != HONED_OK) return status;
  pad_plan *plan = call->plan;
  *plan = (pad_plan){.row_length = 1, .rows = 1, .copy_end = 1};
  if ((status = fill_sources(call, plan, ctx)) != HONED_OK) return status;
  if (x->rank > 0) {
    const int64_t begin = p->pads.values[x->rank - 1], last = begin + x->dims[x->rank - 1];
    plan->row_length = y->dims[x->rank - 1];
    plan->rows = honed_tensor_count(y) / plan->row_length;
    plan->copy_begin = begin > 0 ? begin : 0;
    plan->copy_end = last < plan->row_length ? last : plan->row_length;
  }
  const int64_t row_bytes = plan->row_length * (int64_t)honed_dtype_bytes(y->dtype);
  plan->rows_per_task = row_bytes < TASK_BYTES ? TASK_BYTES / row_bytes : 1;
  call->num_tasks = (plan->rows + plan->rows_per_task - 1) / plan->rows_per_task;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return (void)params, "honed_pad"; }

const honed_op_type honed_op_pad = {"pad", create, free, reshape, kernel_name, 0};
