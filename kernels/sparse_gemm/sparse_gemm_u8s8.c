#include "sparse_gemm_u8s8.h"

#include <stdlib.h>

#include "base/check.h"
#include "base/integers.h"
#include "base/select.h"
#include "blocks.h"

#define HONED_SPARSE_GEMM_U8S8 HONED_KERNEL_ROW
static const honed_kernel_row kernels[] = {
#include "sparse_gemm_u8s8.inc"
};
#undef HONED_SPARSE_GEMM_U8S8

static honed_status create(const honed_op_spec *spec, void **out, honed_context *ctx) {
  honed_sparse_gemm_u8s8 p = {.kernel = honed_kernel_select(kernels, spec->isa)};
  honed_status status = honed_gemm_shape_read(spec, HONED_U8, &p.shape, ctx);
  if (status == HONED_OK) status = honed_csr_create(spec, p.shape.n, p.shape.k, HONED_S8, &p.weights, ctx);
  if (status == HONED_OK) status = honed_requantize_create(spec, 3, p.shape.n, &p.requantize, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static honed_status reshape(honed_call *call, honed_context *ctx) {
  const honed_sparse_gemm_u8s8 *p = call->params;
  int64_t m = 0;
  const honed_status status = honed_gemm_shape_apply(&p->shape, call, &m, ctx);
  if (status != HONED_OK) return status;
  call->kernel = kernels[p->kernel].kernel;
  call->num_tasks = honed_sparse_gemm_task_count(m, p->shape.n);
  call->scratch_bytes = m <= HONED_SPARSE_GEMM_FEW ? 0 : (size_t)p->shape.k * HONED_SPARSE_GEMM_COLUMNS * sizeof(int32_t);
  call->plan = NULL;
  if (m > HONED_SPARSE_GEMM_COLUMNS || (kernels[p->kernel].isa & HONED_ISA_AVX512VBMI) == 0) return HONED_OK;
  const honed_status planned = honed_gemm_blocks_create(&p->weights, p->shape.n, p->shape.k, call, ctx);
  if (call->plan != NULL) call->scratch_bytes = (size_t)(honed_divide_up(p->shape.k, HONED_GEMM_INPUTS) * HONED_GEMM_INPUTS);
  return planned;
}

static const char *kernel_name(const void *params) { return kernels[((const honed_sparse_gemm_u8s8 *)params)->kernel].name; }

const honed_op_type honed_op_sparse_gemm_u8s8 = {"sparse_gemm_u8s8", create, free, reshape, kernel_name, 0};
