/* transpose, depth_to_space and space_to_depth: dimensions in another order. */
#include <stdlib.h>

#include "base/check.h"
#include "copy.h"
#include "shape.h"

/* y's dimension i is x's dimension perm[i]; `x_dims` may split x's own dimensions further. Output 0 has its shape. */
static honed_status permute(honed_call *call, int rank, const int64_t *x_dims, const int *perm, honed_context *ctx) {
  int64_t x_strides[HONED_MAX_RANK], dims[HONED_MAX_RANK], strides[HONED_MAX_RANK];
  honed_nd_strides(rank, x_dims, x_strides);
  for (int i = 0; i < rank; i++) {
    dims[i] = x_dims[perm[i]];
    strides[i] = x_strides[perm[i]];
  }
  return honed_nd_copy_add(call, 0, rank, dims, strides, 0, ctx);
}

typedef struct transpose_params {
  int rank, perm[HONED_MAX_RANK];
} transpose_params;

static honed_status create_transpose(const honed_op_spec *spec, void **out, honed_context *ctx) {
  honed_nd_list perm;
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_nd_list_get(spec, 0, HONED_MAX_RANK, &perm, ctx);
  if (status != HONED_OK) return status;
  bool seen[HONED_MAX_RANK];
  if ((status = honed_nd_axes_mask(&perm, perm.count, seen, ctx)) != HONED_OK) return status;
  transpose_params p = {.rank = perm.count};
  for (int i = 0; i < perm.count; i++) p.perm[i] = (int)(perm.values[i] < 0 ? perm.values[i] + perm.count : perm.values[i]);
  return honed_params_copy(&p, sizeof p, out, ctx);
}

static honed_status reshape_transpose(honed_call *call, honed_context *ctx) {
  const transpose_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  if (x->rank != p->rank) return honed_fail(ctx, HONED_INVALID_SHAPE, "permutation of %d dimensions for a rank of %d", p->rank, x->rank);
  int64_t dims[HONED_MAX_RANK];
  for (int i = 0; i < p->rank; i++) dims[i] = x->dims[p->perm[i]];
  const honed_status status = honed_call_output(call, 0, p->rank, dims, ctx);
  return status == HONED_OK ? permute(call, p->rank, x->dims, p->perm, ctx) : status;
}

static const char *transpose_name(const void *params) { return (void)params, "honed_transpose"; }

/* Blocks of `rows` x `columns`; mode 0: their pixels are the outer part of the channel, 1: the inner. */
typedef struct block_params {
  int64_t rows, columns, mode;
} block_params;

static honed_status create_block(const honed_op_spec *spec, void **out, honed_context *ctx) {
  block_params p;
  honed_status status = honed_nd_one_to_one(spec, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "blocksize", 0, 1, INT16_MAX, &p.rows, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "block_w", p.rows, 1, INT16_MAX, &p.columns, ctx);
  if (status == HONED_OK) status = honed_attr_int(spec, "mode", 0, 0, 1, &p.mode, ctx);
  return status == HONED_OK ? honed_params_copy(&p, sizeof p, out, ctx) : status;
}

static honed_status not_divisible(const honed_tensor *x, const block_params *p, honed_context *ctx) {
  char text[128];
  honed_tensor_describe(x, text, sizeof text);
  return honed_fail(ctx, HONED_INVALID_SHAPE, "%s: expected [N, C, H, W] that blocks of %lld x %lld divide", text, (long long)p->rows,
                    (long long)p->columns);
}

static honed_status reshape_depth_to_space(honed_call *call, honed_context *ctx) {
  const block_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  const int64_t a = p->rows, b = p->columns, *d = x->dims;
  if (x->rank != 4 || d[1] % (a * b) != 0) return not_divisible(x, p, ctx);
  int64_t h = 0, w = 0;
  if (__builtin_mul_overflow(d[2], a, &h) || __builtin_mul_overflow(d[3], b, &w)) return not_divisible(x, p, ctx);
  const int64_t c = d[1] / (a * b);
  const honed_status status = honed_call_output(call, 0, 4, (int64_t[]){d[0], c, h, w}, ctx);
  if (status != HONED_OK) return status;
  if (p->mode == 0) return permute(call, 6, (int64_t[]){d[0], a, b, c, d[2], d[3]}, (int[]){0, 3, 4, 1, 5, 2}, ctx);
  return permute(call, 6, (int64_t[]){d[0], c, a, b, d[2], d[3]}, (int[]){0, 1, 4, 2, 5, 3}, ctx);
}

static honed_status reshape_space_to_depth(honed_call *call, honed_context *ctx) {
  const block_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  const int64_t a = p->rows, b = p->columns, *d = x->dims;
  int64_t c = 0;
  if (x->rank != 4 || d[2] % a != 0 || d[3] % b != 0 || __builtin_mul_overflow(d[1], a * b, &c)) return not_divisible(x, p, ctx);
  const honed_status status = honed_call_output(call, 0, 4, (int64_t[]){d[0], c, d[2] / a, d[3] / b}, ctx);
  if (status != HONED_OK) return status;
  const int64_t dims[] = {d[0], d[1], d[2] / a, a, d[3] / b, b};
  return permute(call, 6, dims, p->mode == 0 ? (int[]){0, 3, 5, 1, 2, 4} : (int[]){0, 1, 3, 5, 2, 4}, ctx);
}

static const char *depth_to_space_name(const void *params) { return (void)params, "honed_depth_to_space"; }
static const char *space_to_depth_name(const void *params) { return (void)params, "honed_space_to_depth"; }

const honed_op_type honed_op_transpose = {"transpose", create_transpose, free, reshape_transpose, transpose_name, 0};
const honed_op_type honed_op_depth_to_space = {"depth_to_space", create_block, free, reshape_depth_to_space, depth_to_space_name, 0};
const honed_op_type honed_op_space_to_depth = {"space_to_depth", create_block, free, reshape_space_to_depth, space_to_depth_name, 0};
