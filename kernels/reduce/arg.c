/* argmax and argmin: where along an axis the greatest or least element lies: the first such place, or with select_last_index the last. */
#include <stdlib.h>

#include "base/check.h"
#include "nd/shape.h"

enum { TASK_ELEMENTS = 16384 };

typedef struct arg_params arg_params;

/* The place among n elements, `stride` apart. */
typedef int64_t (*arg_search)(const arg_params *p, const void *x, int64_t n, int64_t stride);

struct arg_params {
  const char *name;
  bool least, last;
  int64_t axis, keep_dims, bytes;
  arg_search search;
};

typedef struct arg_plan {
  int64_t outputs, length, inner, outputs_per_task;
} arg_plan;

#define SEARCH(name, type)                                                              \
  static int64_t name(const arg_params *p, const void *vx, int64_t n, int64_t stride) { \
    const type *x = vx;                                                                 \
    int64_t best = 0;                                                                   \
    for (int64_t i = 1; i < n; i++) {                                                   \
      const type v = x[i * stride], b = x[best * stride];                               \
      const bool better = p->least ? v < b : v > b;                                     \
      best = better || (p->last && v == b) ? i : best;                                  \
    }                                                                                   \
    return best;                                                                        \
  }
SEARCH(search_f32, float)
SEARCH(search_s64, int64_t)
SEARCH(search_s32, int32_t)
SEARCH(search_s8, int8_t)
SEARCH(search_u8, uint8_t)
#undef SEARCH

static arg_search search_of(honed_dtype dtype) {
  switch (dtype) {
    case HONED_F32: return search_f32;
    case HONED_S64: return search_s64;
    case HONED_S32: return search_s32;
    case HONED_S8: return search_s8;
    case HONED_U8: return search_u8;
    default: return NULL;
  }
}

static honed_status create(const honed_op_spec *spec, bool least, void **out, honed_context *ctx) {
  arg_params p = {.name = least ? "honed_argmin" : "honed_argmax", .least = least};
  int64_t last = 0;
  honed_status status = honed_nd_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_S64, ctx);
  if (status == HONED_OK) status = honed_nd_axis_attr(spec, 0, &p.axis, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "keepdims", 1, 0, 1, &p.keep_dims, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "select_last_index", 0, 0, 1, &last, ctx);
  if (status != HONED_OK) return status;
  p.last = last == 1;
  p.bytes = (int64_t)honed_dtype_bytes(spec->inputs[0]->dtype);
  p.search = search_of(spec->inputs[0]->dtype);
  if (p.search == NULL) return honed_fail(ctx, HONED_UNSUPPORTED, "places in %s", honed_dtype_name(spec->inputs[0]->dtype));
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static honed_status create_argmax(const honed_op_spec *spec, void **out, honed_context *ctx) { return create(spec, false, out, ctx); }
static honed_status create_argmin(const honed_op_spec *spec, void **out, honed_context *ctx) { return create(spec, true, out, ctx); }

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const arg_params *p = call->params;
  const arg_plan *plan = call->plan;
  const int64_t stop = end * plan->outputs_per_task < plan->outputs ? end * plan->outputs_per_task : plan->outputs;
  for (int64_t i = begin * plan->outputs_per_task; i < stop; i++) {
    const int64_t at = i / plan->inner * plan->length * plan->inner + i % plan->inner;
    ((int64_t *)call->outputs[0]->data)[i] = p->search(p, (const char *)call->inputs[0]->data + at * p->bytes, plan->length, plan->inner);
  }
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const arg_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  int axis = 0, rank = 0;
  honed_status status = honed_nd_axis(p->axis, x->rank, &axis, ctx);
  if (status != HONED_OK) return status;
  int64_t dims[HONED_MAX_RANK];
  for (int i = 0; i < x->rank; i++) {
    if (i != axis || p->keep_dims) dims[rank++] = i == axis ? 1 : x->dims[i];
  }
  status = honed_call_output(call, 0, rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(arg_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  arg_plan *plan = call->plan;
  plan->outputs = honed_tensor_count(call->outputs[0]);
  plan->length = x->dims[axis];
  plan->inner = honed_nd_product(x->dims, axis + 1, x->rank);
  if (plan->length == 0 && plan->outputs > 0)
    return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is 0: there is nothing to pick", axis);
  plan->outputs_per_task = plan->length > 0 && plan->length < TASK_ELEMENTS ? TASK_ELEMENTS / plan->length : 1;
  call->kernel = kernel;
  call->num_tasks = (plan->outputs + plan->outputs_per_task - 1) / plan->outputs_per_task;
  call->scratch_bytes = 0;
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return ((const arg_params *)params)->name; }

const honed_op_type honed_op_argmax = {"argmax", create_argmax, free, reshape, kernel_name, 0};
const honed_op_type honed_op_argmin = {"argmin", create_argmin, free, reshape, kernel_name, 0};
