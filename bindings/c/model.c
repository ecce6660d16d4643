#include "model.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

static honed_error *model_new(const honed_engine *engine, honed_model **out) {
  honed_model *model = calloc(1, sizeof *model);
  if (model == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "model");
  atomic_init(&model->references, 1);
  model->engine = honed_engine_retain(engine);
  *out = model;
  return NULL;
}

honed_model *honed_model_retain(const honed_model *model) {
  honed_model *shared = (honed_model *)model;
  atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
  return shared;
}

void honed_model_delete(honed_model *model) {
  if (model == NULL || atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) > 1) return;
  for (uint32_t i = 0; i < model->num_created; i++) model->ops[i].type->destroy(model->ops[i].params);
  honed_arena_clear(&model->memory);
  honed_file_map_close(&model->map);
  honed_engine_delete(model->engine);
  free(model);
}

/* Opens the artifact at `bytes`, which live as long as the model, and builds the model. `where` prefixes messages. */
static honed_error *fill(honed_model *model, const void *bytes, size_t size, const char *where) {
  honed_context ctx;
  const honed_status status = honed_artifact_open(bytes, size, model->engine->pool, &model->artifact, &ctx);
  if (status != HONED_OK) return honed_error_new(status, "%s: %s", where, ctx.message);
  return honed_model_build(model);
}

static honed_error *hand_over(honed_model *model, honed_error *error, honed_model **out) {
  if (error == NULL) {
    *out = model;
  } else {
    honed_model_delete(model);
  }
  return error;
}

honed_error *honed_model_load_file(const honed_engine *engine, const char *path, honed_model **out) {
  honed_model *model = NULL;
  honed_error *error = model_new(engine, &model);
  if (error != NULL) return error;
  error = honed_file_map_open(path, &model->map);
  if (error == NULL) error = fill(model, model->map.bytes, model->map.size, path);
  return hand_over(model, error, out);
}

static honed_error *copy_bytes(honed_model *model, const void *bytes, size_t size) {
  void *copy = NULL;
  honed_context ctx;
  if (honed_arena_alloc(&model->memory, size, &copy, &ctx) != HONED_OK) return honed_error_new(HONED_OUT_OF_MEMORY, "model");
  if (size > 0) memcpy(copy, bytes, size);
  return fill(model, copy, size, "model");
}

honed_error *honed_model_load_bytes(const honed_engine *engine, const void *bytes, size_t size, honed_model **out) {
  honed_model *model = NULL;
  honed_error *error = model_new(engine, &model);
  if (error != NULL) return error;
  return hand_over(model, copy_bytes(model, bytes, size), out);
}

honed_error *honed_model_load_borrowed(const honed_engine *engine, const void *bytes, size_t size, honed_model **out) {
  if ((uintptr_t)bytes % HONED_FILE_ALIGN != 0) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "bytes are not aligned to %d", HONED_FILE_ALIGN);
  }
  honed_model *model = NULL;
  honed_error *error = model_new(engine, &model);
  if (error != NULL) return error;
  return hand_over(model, fill(model, bytes, size, "model"), out);
}

size_t honed_model_num_inputs(const honed_model *model) { return model->artifact.num_inputs; }

size_t honed_model_num_outputs(const honed_model *model) { return model->artifact.num_outputs; }

const honed_value *honed_model_input(const honed_model *model, size_t index) {
  return index < model->artifact.num_inputs ? &model->inputs[index] : NULL;
}

const honed_value *honed_model_output(const honed_model *model, size_t index) {
  return index < model->artifact.num_outputs ? &model->outputs[index] : NULL;
}

const char *honed_value_name(const honed_value *value) { return value->name; }

honed_element_type honed_value_type(const honed_value *value) { return (honed_element_type)value->tensor->dtype; }

honed_shape honed_value_shape(const honed_value *value) { return value->shape; }

const char *honed_value_symbol(const honed_value *value, size_t axis) { return axis < value->shape.rank ? value->symbols[axis] : NULL; }

size_t honed_model_num_ops(const honed_model *model) { return model->artifact.num_ops; }

const char *honed_model_op_name(const honed_model *model, size_t index) {
  return index < model->artifact.num_ops ? model->ops[index].name : NULL;
}

const char *honed_model_op_type(const honed_model *model, size_t index) {
  return index < model->artifact.num_ops ? model->ops[index].type->name : NULL;
}

const char *honed_model_op_kernel(const honed_model *model, size_t index) {
  if (index >= model->artifact.num_ops) return NULL;
  const honed_model_op *op = &model->ops[index];
  return op->type->kernel_name(op->params);
}

size_t honed_element_bytes(honed_element_type type) { return honed_dtype_bytes((honed_dtype)type); }

_Static_assert((int)HONED_ELEMENT_F32 == (int)HONED_F32 && (int)HONED_ELEMENT_U8 == (int)HONED_U8, "public types are the internal ones");
_Static_assert((int)HONED_ELEMENT_S8 == (int)HONED_S8 && (int)HONED_ELEMENT_S32 == (int)HONED_S32, "public types are the internal ones");
_Static_assert((int)HONED_ELEMENT_S64 == (int)HONED_S64 && (int)HONED_ELEMENT_BOOL == (int)HONED_BOOL,
               "public types are the internal ones");
_Static_assert((int)HONED_ELEMENT_F64 == (int)HONED_F64 && (int)HONED_MAX_DIMS == (int)HONED_MAX_RANK,
               "public types are the internal ones");
