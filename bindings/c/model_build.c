#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "constants.h"
#include "error.h"
#include "model.h"

enum { max_operands = 64 }; /* honed_artifact_validate sees to it */

static honed_error *allocate(honed_model *model, size_t count, size_t bytes, void *out) {
  void *memory = NULL;
  honed_context ctx;
  const honed_status status = honed_arena_alloc(&model->memory, count * bytes, &memory, &ctx);
  if (status != HONED_OK) return honed_error_new(status, "%s", ctx.message);
  memset(memory, 0, count * bytes);
  memcpy(out, &memory, sizeof memory);
  return NULL;
}

static honed_error *build_constants(honed_model *model) {
  honed_context ctx;
  const honed_status status = honed_constants_expand(&model->artifact, &model->memory, &model->constants, &ctx);
  return status == HONED_OK ? NULL : honed_error_new(status, "%s", ctx.message);
}

static honed_tensor constant_tensor(const honed_model *model, uint32_t index) {
  return honed_constant_tensor(&model->artifact, index, model->constants[index]);
}

static honed_error *build_tensors(honed_model *model) {
  const honed_artifact *a = &model->artifact;
  honed_error *error = allocate(model, a->num_values, sizeof *model->tensors, &model->tensors);
  for (uint32_t i = 0; i < a->num_values && error == NULL; i++) {
    const honed_file_value *v = &a->values[i];
    honed_tensor *t = &model->tensors[i];
    if (v->constant != HONED_FILE_NONE) *t = constant_tensor(model, v->constant);
    t->dtype = (honed_dtype)v->dtype;
    t->layout = (honed_layout)v->layout;
    t->gap_rows = (int32_t)v->gap_rows;
    t->gap_cols = (int32_t)v->gap_cols;
    t->zero_point = v->zero_point;
  }
  return error;
}

static void build_value(const honed_model *model, uint32_t index, const honed_file_dim *dims, honed_value *out) {
  const honed_artifact *a = &model->artifact;
  const honed_file_value *v = &a->values[index];
  out->name = a->strings + v->name;
  out->tensor = &model->tensors[index];
  out->index = index;
  out->shape.rank = v->rank;
  for (uint32_t axis = 0; axis < v->rank; axis++) {
    out->shape.dims[axis] = dims[axis].size;
    out->symbols[axis] = dims[axis].symbol == 0 ? NULL : a->strings + dims[axis].symbol;
  }
}

static honed_error *build_border(honed_model *model) {
  const honed_artifact *a = &model->artifact;
  honed_error *error = allocate(model, a->num_inputs, sizeof *model->inputs, &model->inputs);
  if (error == NULL) error = allocate(model, a->num_outputs, sizeof *model->outputs, &model->outputs);
  if (error != NULL) return error;
  const honed_file_dim *dims = a->dims;
  for (uint32_t v = 0; v < a->num_values; v++) {
    for (uint32_t i = 0; i < a->num_inputs; i++) {
      if (a->inputs[i] == v) build_value(model, v, dims, &model->inputs[i]);
    }
    for (uint32_t i = 0; i < a->num_outputs; i++) {
      if (a->outputs[i] == v) build_value(model, v, dims, &model->outputs[i]);
    }
    if (a->values[v].rank != HONED_RANK_UNKNOWN) dims += a->values[v].rank;
  }
  return NULL;
}

/* An error that lists all operators without a type here, or NULL. */
static honed_error *refuse_unknown_types(const honed_model *model) {
  const honed_artifact *a = &model->artifact;
  size_t bytes = 1, count = 0;
  for (uint32_t i = 0; i < a->num_ops; i++) {
    if (model->ops[i].type != NULL) continue;
    bytes += strlen(model->ops[i].name) + strlen(a->strings + a->ops[i].type) + 5;
    count++;
  }
  if (count == 0) return NULL;
  char *list = malloc(bytes);
  if (list == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "list of operators");
  size_t used = 0;
  for (uint32_t i = 0; i < a->num_ops; i++) {
    if (model->ops[i].type != NULL) continue;
    used += (size_t)snprintf(list + used, bytes - used, "%s%s (%s)", used > 0 ? ", " : "", model->ops[i].name, a->strings + a->ops[i].type);
  }
  honed_error *error = honed_error_new(HONED_UNSUPPORTED, "no kernel runs %zu of %u operators: %s", count, a->num_ops, list);
  free(list);
  return error;
}

/* Finds types and operands of all operators. */
static honed_error *resolve_ops(honed_model *model) {
  const honed_artifact *a = &model->artifact;
  honed_error *error = allocate(model, a->num_ops, sizeof *model->ops, &model->ops);
  if (error != NULL) return error;
  const uint32_t *operands = a->operands;
  for (uint32_t i = 0; i < a->num_ops; i++) {
    const honed_file_op *record = &a->ops[i];
    honed_model_op *op = &model->ops[i];
    op->type = honed_op_type_find(a->strings + record->type);
    op->name = a->strings + record->name;
    op->num_inputs = record->num_inputs;
    op->num_outputs = record->num_outputs;
    op->inputs = operands;
    op->outputs = operands + record->num_inputs;
    operands += record->num_inputs + record->num_outputs + record->num_consts;
  }
  return refuse_unknown_types(model);
}

/* `attrs` are the operator's. */
static honed_error *create_op(honed_model *model, uint32_t index, const honed_file_attr *attrs) {
  const honed_artifact *a = &model->artifact;
  const honed_file_op *record = &a->ops[index];
  honed_model_op *op = &model->ops[index];
  honed_attr spec_attrs[max_operands];
  honed_tensor consts[max_operands];
  const honed_tensor *inputs[max_operands], *outputs[max_operands];
  for (uint32_t i = 0; i < record->num_attrs; i++) {
    const bool is_float = attrs[i].kind == HONED_ATTR_FLOAT;
    spec_attrs[i] = (honed_attr){.name = a->strings + attrs[i].name, .is_float = is_float};
    if (is_float) {
      spec_attrs[i].f = attrs[i].value.f;
    } else {
      spec_attrs[i].i = attrs[i].value.i;
    }
  }
  for (uint32_t i = 0; i < op->num_inputs; i++) inputs[i] = op->inputs[i] == HONED_FILE_NONE ? NULL : &model->tensors[op->inputs[i]];
  for (uint32_t i = 0; i < op->num_outputs; i++) outputs[i] = &model->tensors[op->outputs[i]];
  for (uint32_t i = 0; i < record->num_consts; i++) consts[i] = constant_tensor(model, op->outputs[op->num_outputs + i]);
  const honed_op_spec spec = {.attrs = spec_attrs,
                              .num_attrs = (int)record->num_attrs,
                              .inputs = inputs,
                              .num_inputs = (int)op->num_inputs,
                              .outputs = outputs,
                              .num_outputs = (int)op->num_outputs,
                              .consts = consts,
                              .num_consts = (int)record->num_consts,
                              .isa = model->engine->isa};
  honed_context ctx;
  const honed_status status = op->type->create(&spec, &op->params, &ctx);
  if (status == HONED_OK) return NULL;
  return honed_error_new(status, "%s (%s): %s", op->name, op->type->name, ctx.message);
}

static honed_error *create_ops(honed_model *model) {
  const honed_artifact *a = &model->artifact;
  const honed_file_attr *attrs = a->attrs;
  for (uint32_t i = 0; i < a->num_ops; i++) {
    honed_error *error = create_op(model, i, attrs);
    if (error != NULL) return error;
    model->num_created = i + 1;
    attrs += a->ops[i].num_attrs;
  }
  return NULL;
}

honed_error *honed_model_build(honed_model *model) {
  const honed_isa missing = model->artifact.isa_floor & ~model->engine->isa;
  if (missing != 0) {
    return honed_error_new(HONED_UNSUPPORTED, "model was compiled for %s, and only %s may be used here",
                           honed_isa_name(model->artifact.isa_floor), honed_isa_name(model->engine->isa));
  }
  honed_error *error = build_constants(model);
  if (error == NULL) error = build_tensors(model);
  if (error == NULL) error = build_border(model);
  if (error == NULL) error = resolve_ops(model);
  if (error == NULL) error = create_ops(model);
  return error;
}
