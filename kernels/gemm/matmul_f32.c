/* matmul_f32: the product of two activations, as NumPy's matmul. A task packs a panel of b and multiplies it by some rows of a. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gemm_f32.h"
#include "nd/shape.h"
#include "operand.h"

typedef struct matmul_params {
  const honed_gemm_f32_variant *variant;
} matmul_params;

typedef struct matmul_plan {
  int64_t m, n, k, tasks; /* tasks of one product */
  int64_t *a, *b;         /* elements from the data to each product's operands */
} matmul_plan;

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  honed_status status = honed_nd_arity(spec, 2, 2, 1, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[0], "input 0", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->inputs[1], "input 1", HONED_F32, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", HONED_F32, ctx);
  if (status != HONED_OK) return status;
  const matmul_params p = {honed_gemm_f32_select(spec->isa)};
  return honed_params_copy(&p, sizeof p, out, ctx);
}

/* Columns n0 to n0 + n - 1 of b[k][columns] in the packed form of gemm_f32. */
static void pack_panel(const float *b, int64_t k, int64_t columns, int64_t n0, int64_t n, float *out) {
  for (int64_t block = 0; block < n; block += HONED_GEMM_BLOCK) {
    const int64_t width = n - block < HONED_GEMM_BLOCK ? n - block : HONED_GEMM_BLOCK;
    for (int64_t i = 0; i < k; i++, out += HONED_GEMM_BLOCK) {
      memcpy(out, b + i * columns + n0 + block, (size_t)width * sizeof *out);
      memset(out + width, 0, (size_t)(HONED_GEMM_BLOCK - width) * sizeof *out);
    }
  }
}

static void kernel(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const matmul_plan *plan = call->plan;
  const honed_gemm_f32_fn fn = ((const matmul_params *)call->params)->variant->fn;
  for (int64_t task = begin; task < end; task++) {
    const int64_t product = task / plan->tasks;
    const honed_gemm_task t = honed_gemm_task_at(plan->m, plan->n, task % plan->tasks);
    if (task == begin || t.m0 == 0) {
      pack_panel((const float *)call->inputs[1]->data + plan->b[product], plan->k, plan->n, t.n0, t.n, scratch);
    }
    fn(&(honed_gemm_f32_args){
        .x = (const float *)call->inputs[0]->data + plan->a[product] + t.m0 * plan->k,
        .m = t.m,
        .k = plan->k,
        .ldx = plan->k,
        .w = scratch,
        .bias = NULL,
        .y = (float *)call->outputs[0]->data + (product * plan->m + t.m0) * plan->n + t.n0,
        .n = t.n,
        .ldy = plan->n,
        .lo = -INFINITY,
        .hi = INFINITY,
    });
  }
}

/* The dimensions before the matrix. A vector is a row where it is `a`, else a column. */
static honed_tensor batch_of(const honed_tensor *t) {
  honed_tensor batch = *t;
  batch.rank = t->rank > 2 ? t->rank - 2 : 0;
  return batch;
}

/* Elements from the data of an operand to the matrix of each product. */
static void fill_offsets(const honed_tensor *t, int rank, const int64_t *dims, int64_t count, int64_t matrix, int64_t *out) {
  int64_t strides[HONED_MAX_RANK];
  honed_nd_broadcast_strides(t, rank, dims, strides);
  for (int64_t i = 0; i < count; i++) {
    int64_t rest = i, offset = 0;
    for (int d = rank - 1; d >= 0; d--) {
      offset += rest % dims[d] * strides[d];
      rest /= dims[d];
    }
    out[i] = offset * matrix;
  }
}

static honed_status plan_products(honed_call *call, const honed_tensor *a, const honed_tensor *b, int rank, const int64_t *dims,
                                  honed_context *ctx) {
  matmul_plan *plan = call->plan;
  const int64_t count = honed_nd_product(dims, 0, rank);
  honed_status status = honed_call_alloc(call, (size_t)count * sizeof *plan->a, (void **)&plan->a, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)count * sizeof *plan->b, (void **)&plan->b, ctx);
  if (status != HONED_OK) return status;
  fill_offsets(a, rank, dims, count, plan->m * plan->k, plan->a);
  fill_offsets(b, rank, dims, count, plan->k * plan->n, plan->b);
  call->num_tasks = count * plan->tasks;
  call->scratch_bytes = (size_t)(plan->k * HONED_GEMM_PANEL) * sizeof(float);
  return HONED_OK;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_tensor *a = call->inputs[0], *b = call->inputs[1];
  const int64_t k = a->rank > 0 ? a->dims[a->rank - 1] : 0;
  if (a->rank < 1 || b->rank < 1 || b->dims[b->rank > 1 ? b->rank - 2 : 0] != k) {
    char left[96], right[96];
    honed_tensor_describe(a, left, sizeof left);
    honed_tensor_describe(b, right, sizeof right);
    return honed_fail(ctx, HONED_INVALID_SHAPE, "%s times %s: the inner dimensions differ", left, right);
  }
  const honed_tensor a_batch = batch_of(a), b_batch = batch_of(b);
  int rank = 0;
  int64_t dims[HONED_MAX_RANK];
  honed_status status = honed_nd_broadcast(2, (const honed_tensor *const[]){&a_batch, &b_batch}, &rank, dims, ctx);
  if (status != HONED_OK) return status;
  const int64_t m = a->rank > 1 ? a->dims[a->rank - 2] : 1, n = b->rank > 1 ? b->dims[b->rank - 1] : 1;
  int out_rank = rank;
  if (a->rank > 1) dims[out_rank++] = m;
  if (b->rank > 1) dims[out_rank++] = n;
  status = honed_call_output(call, 0, out_rank, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, sizeof(matmul_plan), &call->plan, ctx);
  if (status != HONED_OK) return status;
  *(matmul_plan *)call->plan = (matmul_plan){.m = m, .n = n, .k = k, .tasks = honed_gemm_task_count(m, n)};
  call->kernel = kernel;
  call->num_tasks = 0;
  call->scratch_bytes = 0;
  if (honed_tensor_count(call->outputs[0]) == 0) return HONED_OK;
  return plan_products(call, &a_batch, &b_batch, rank, dims, ctx);
}

static const char *kernel_name(const void *params) { return ((const matmul_params *)params)->variant->name; }

const honed_op_type honed_op_matmul_f32 = {"matmul_f32", create, free, reshape, kernel_name, 0};
