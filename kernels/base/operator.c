#include "operator.h"

#include <stdlib.h>
#include <string.h>

static const honed_attr *find(const honed_op_spec *spec, const char *name) {
  for (int i = 0; i < spec->num_attrs; i++) {
    if (strcmp(spec->attrs[i].name, name) == 0) return &spec->attrs[i];
  }
  return NULL;
}

honed_status honed_attr_int(const honed_op_spec *spec, const char *name, int64_t fallback, int64_t lo, int64_t hi, int64_t *out,
                            honed_context *ctx) {
  const honed_attr *a = find(spec, name);
  const int64_t value = a == NULL ? fallback : a->i;
  if (a != NULL && a->is_float) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute %s is a float, expected an integer", name);
  if (value < lo || value > hi) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute %s is %lld, expected %lld to %lld", name, (long long)value, (long long)lo,
                      (long long)hi);
  }
  *out = value;
  return HONED_OK;
}

honed_status honed_attr_float(const honed_op_spec *spec, const char *name, double fallback, float *out, honed_context *ctx) {
  const honed_attr *a = find(spec, name);
  if (a != NULL && !a->is_float) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "attribute %s is an integer, expected a float", name);
  *out = (float)(a == NULL ? fallback : a->f);
  return HONED_OK;
}

honed_status honed_const_get(const honed_op_spec *spec, int index, honed_dtype dtype, int64_t count, const void **out, honed_context *ctx) {
  if (index >= spec->num_consts) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d constants, expected more than %d", spec->num_consts, index);
  }
  const honed_tensor *t = &spec->consts[index];
  if (t->dtype != dtype || honed_tensor_count(t) != count) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "constant %d has %lld elements of %s, expected %lld of %s", index,
                      (long long)honed_tensor_count(t), honed_dtype_name(t->dtype), (long long)count, honed_dtype_name(dtype));
  }
  *out = t->data;
  return HONED_OK;
}

honed_status honed_call_output(honed_call *call, int index, int rank, const int64_t *dims, honed_context *ctx) {
  return honed_tensor_reshape(call->outputs[index], rank, dims, ctx);
}

honed_status honed_call_alloc(honed_call *call, size_t bytes, void **out, honed_context *ctx) {
  return honed_arena_alloc(call->allocator, bytes, out, ctx);
}

honed_status honed_spec_arity(const honed_op_spec *spec, int min_inputs, int max_inputs, int num_outputs, honed_context *ctx) {
  if (spec->num_inputs < min_inputs || spec->num_inputs > max_inputs || spec->num_outputs != num_outputs) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d inputs and %d outputs, expected %d to %d and %d", spec->num_inputs,
                      spec->num_outputs, min_inputs, max_inputs, num_outputs);
  }
  for (int i = 0; i < min_inputs; i++) {
    if (spec->inputs[i] == NULL) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "input %d is missing", i);
  }
  return HONED_OK;
}

void honed_planar_masks(const honed_tensor *t, uint64_t *out) {
  memset(out, 0, (size_t)(t->plane_stride / 64) * sizeof *out);
  for (int64_t y = 0; y < t->dims[2]; y++) {
    for (int64_t x = 0; x < t->dims[3]; x++) {
      const int64_t flat = y * t->row_stride + x;
      out[flat / 64] |= (uint64_t)1 << (flat % 64);
    }
  }
}

const honed_op_type *honed_op_type_find(const char *name) {
  for (const honed_op_type *const *t = honed_op_types(); *t != NULL; t++) {
    if (strcmp((*t)->name, name) == 0) return *t;
  }
  return NULL;
}
