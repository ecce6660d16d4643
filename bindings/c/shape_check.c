#include "shape_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

/* "[batch,3,?,224]" */
static void describe(const honed_shape *shape, const char *const *symbols, char *out, size_t bytes) {
  size_t used = (size_t)snprintf(out, bytes, "[");
  for (size_t i = 0; i < shape->rank && used < bytes; i++) {
    const char *comma = i > 0 ? "," : "";
    if (shape->dims[i] >= 0) {
      used += (size_t)snprintf(out + used, bytes - used, "%s%" PRId64, comma, shape->dims[i]);
    } else {
      used += (size_t)snprintf(out + used, bytes - used, "%s%s", comma, symbols != NULL && symbols[i] != NULL ? symbols[i] : "?");
    }
  }
  if (used < bytes) snprintf(out + used, bytes - used, "]");
}

static honed_error *refuse_shape(const honed_value *input, const honed_shape *found) {
  char found_text[256], expected_text[512];
  describe(found, NULL, found_text, sizeof found_text);
  describe(&input->shape, input->symbols, expected_text, sizeof expected_text);
  return honed_error_new(HONED_INVALID_SHAPE, "input %s has the shape %s, expected %s", input->name, found_text, expected_text);
}

/* The size that the inputs before `index` give to the dimension's name, or -1. */
static int64_t size_of_symbol(const honed_model *model, const honed_shape *shapes, size_t index, const char *symbol) {
  for (size_t i = 0; i < index; i++) {
    for (size_t axis = 0; axis < shapes[i].rank; axis++) {
      const char *other = model->inputs[i].symbols[axis];
      if (other != NULL && strcmp(other, symbol) == 0) return shapes[i].dims[axis];
    }
  }
  return -1;
}

static honed_error *check_shape(const honed_model *model, const honed_shape *shapes, size_t index) {
  const honed_value *input = &model->inputs[index];
  const honed_shape *shape = &shapes[index];
  if (shape->rank > HONED_MAX_DIMS) {
    return honed_error_new(HONED_INVALID_SHAPE, "input %s has rank %zu, expected %zu", input->name, shape->rank, input->shape.rank);
  }
  if (shape->rank != input->shape.rank) return refuse_shape(input, shape);
  for (size_t axis = 0; axis < shape->rank; axis++) {
    const int64_t expected = input->shape.dims[axis];
    if (shape->dims[axis] < 0 || (expected >= 0 && shape->dims[axis] != expected)) return refuse_shape(input, shape);
    const char *symbol = input->symbols[axis];
    const int64_t bound = symbol == NULL ? -1 : size_of_symbol(model, shapes, index, symbol);
    if (bound >= 0 && bound != shape->dims[axis]) {
      return honed_error_new(HONED_INVALID_SHAPE, "input %s: dimension %zu (%s) is %" PRId64 ", and %" PRId64 " in another input",
                             input->name, axis, symbol, shape->dims[axis], bound);
    }
  }
  return NULL;
}

honed_error *honed_check_input_shapes(const honed_model *model, const honed_shape *shapes, size_t num_inputs) {
  if (num_inputs != model->artifact.num_inputs) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "%zu input shapes, expected %" PRIu32, num_inputs, model->artifact.num_inputs);
  }
  honed_error *error = NULL;
  for (size_t i = 0; i < num_inputs && error == NULL; i++) error = check_shape(model, shapes, i);
  return error;
}
