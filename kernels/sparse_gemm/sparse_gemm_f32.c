#include "sparse_gemm_f32.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/select.h"

#define HONED_SPARSE_GEMM_F32 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "sparse_gemm_f32.inc"
};
#undef HONED_SPARSE_GEMM_F32

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  honed_sparse_gemm_f32 p = {.kernel = honed_kernel_select(kernels, spec->isa)};
  honed_status status = honed_gemm_shape_read(spec, HONED_F32, &p.shape, ctx);
  if (status == HONED_OK) status = honed_csr_create(spec, p.shape.n, p.shape.k, HONED_F32, &p.weights, ctx);
  if (status == HONED_OK) status = honed_const_get(spec, 3, HONED_F32, p.shape.n, (const void **)&p.bias, ctx);
  if (status == HONED_OK) status = honed_attr_range(spec, "clamp_lo", "clamp_hi", -INFINITY, INFINITY, &p.lo, &p.hi, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_sparse_gemm_f32 *p = call->params;
  int64_t m = 0;
  const honed_status status = honed_gemm_shape_apply(&p->shape, call, &m, ctx);
  if (status != HONED_OK) return status;
  call->kernel = kernels[p->kernel].kernel;
  call->num_tasks = honed_sparse_gemm_task_count(m, p->shape.n);
  call->scratch_bytes = m <= HONED_SPARSE_GEMM_FEW ? 0 : (size_t)p->shape.k * HONED_SPARSE_GEMM_COLUMNS * sizeof(float);
  return HONED_OK;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_sparse_gemm_f32 *)params)->kernel].name; }

const honed_op_type honed_op_sparse_gemm_f32 = {"sparse_gemm_f32", create, free, reshape, kernel_name, 0};
