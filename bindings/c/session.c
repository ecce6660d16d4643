#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "options.h"
#include "plan.h"

struct honed_session {
  honed_model *model;
  size_t num_threads;
  honed_plan *plan; /* NULL: no shapes yet */
  bool profiling;
  uint64_t profile_runs;
  double profile_seconds[]; /* per operator */
};

static bool has_fixed_shapes(const honed_model *model) {
  for (uint32_t i = 0; i < model->artifact.num_inputs; i++) {
    const honed_shape *shape = &model->inputs[i].shape;
    for (size_t axis = 0; axis < shape->rank; axis++) {
      if (shape->dims[axis] < 0) return false;
    }
  }
  return true;
}

static honed_error *use_fixed_shapes(honed_session *session) {
  const size_t count = session->model->artifact.num_inputs;
  honed_shape *shapes = malloc((count + 1) * sizeof *shapes);
  if (shapes == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "session");
  for (size_t i = 0; i < count; i++) shapes[i] = session->model->inputs[i].shape;
  honed_error *error = honed_session_reshape(session, shapes, count);
  free(shapes);
  return error;
}

honed_error *honed_session_new(const honed_model *model, const honed_session_options *options, honed_session **out) {
  honed_session_options o = {0};
  honed_error *error = honed_options_read(options, &o, sizeof o, "honed_session_options");
  if (error != NULL) return error;
  honed_session *session = calloc(1, sizeof *session + model->artifact.num_ops * sizeof session->profile_seconds[0]);
  if (session == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "session");
  const size_t available = honed_engine_num_threads(model->engine);
  session->num_threads = o.num_threads == 0 || o.num_threads > available ? available : o.num_threads;
  session->model = honed_model_retain(model);
  if (has_fixed_shapes(model)) error = use_fixed_shapes(session);
  if (error == NULL) {
    *out = session;
  } else {
    honed_session_delete(session);
  }
  return error;
}

void honed_session_delete(honed_session *session) {
  if (session == NULL) return;
  honed_plan_delete(session->plan);
  honed_model_delete(session->model);
  free(session);
}

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

static bool has_shapes(const honed_session *session, const honed_shape *shapes) {
  if (session->plan == NULL) return false;
  for (uint32_t i = 0; i < session->model->artifact.num_inputs; i++) {
    const honed_tensor *t = &session->plan->tensors[session->model->inputs[i].index];
    if (memcmp(t->dims, shapes[i].dims, shapes[i].rank * sizeof t->dims[0]) != 0) return false;
  }
  return true;
}

static honed_error *check_count(size_t found, size_t expected, const char *what) {
  if (found == expected) return NULL;
  return honed_error_new(HONED_INVALID_ARGUMENT, "%zu %s, expected %zu", found, what, expected);
}

honed_error *honed_session_reshape(honed_session *session, const honed_shape *shapes, size_t num_inputs) {
  const honed_model *model = session->model;
  honed_error *error = check_count(num_inputs, model->artifact.num_inputs, "input shapes");
  for (size_t i = 0; i < num_inputs && error == NULL; i++) error = check_shape(model, shapes, i);
  if (error != NULL || has_shapes(session, shapes)) return error;
  honed_plan *plan = NULL;
  error = honed_plan_new(model, shapes, session->num_threads, &plan);
  if (error != NULL) return error;
  error = honed_plan_allocate(plan, session->plan);
  if (error != NULL) {
    honed_plan_delete(plan);
    return error;
  }
  honed_plan_delete(session->plan);
  session->plan = plan;
  return NULL;
}

static honed_error *no_shapes(void) {
  return honed_error_new(HONED_INVALID_ARGUMENT, "the model's input shapes are not fixed, and honed_session_reshape has not set them");
}

honed_error *honed_session_output_shape(const honed_session *session, size_t index, honed_shape *out) {
  if (session->plan == NULL) return no_shapes();
  if (index >= session->model->artifact.num_outputs) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "output %zu of %" PRIu32, index, session->model->artifact.num_outputs);
  }
  const honed_tensor *t = &session->plan->tensors[session->model->outputs[index].index];
  honed_shape shape = {.rank = (size_t)t->rank};
  memcpy(shape.dims, t->dims, sizeof shape.dims);
  *out = shape;
  return NULL;
}

static honed_error *check_buffer(const honed_plan *plan, const honed_value *value, const void *data, size_t bytes, const char *what) {
  const honed_tensor *t = &plan->tensors[value->index];
  const size_t expected = honed_tensor_buffer_bytes(t);
  if (bytes != expected) {
    char shape[128];
    honed_tensor_describe(t, shape, sizeof shape);
    return honed_error_new(HONED_INVALID_ARGUMENT, "%s %s has %zu bytes, expected %zu for %s", what, value->name, bytes, expected, shape);
  }
  if (bytes > 0 && (data == NULL || (uintptr_t)data % honed_dtype_bytes(t->dtype) != 0)) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "%s %s is %s", what, value->name, data == NULL ? "NULL" : "not aligned to its elements");
  }
  return NULL;
}

static honed_error *bind_buffers(honed_session *session, const honed_input *inputs, size_t num_inputs, const honed_output *outputs,
                                 size_t num_outputs) {
  honed_plan *plan = session->plan;
  const honed_model *model = session->model;
  honed_error *error = check_count(num_inputs, model->artifact.num_inputs, "inputs");
  if (error == NULL) error = check_count(num_outputs, model->artifact.num_outputs, "outputs");
  for (size_t i = 0; i < num_inputs && error == NULL; i++) {
    error = check_buffer(plan, &model->inputs[i], inputs[i].data, inputs[i].bytes, "input");
  }
  for (size_t i = 0; i < num_outputs && error == NULL; i++) {
    error = check_buffer(plan, &model->outputs[i], outputs[i].data, outputs[i].bytes, "output");
  }
  if (error != NULL) return error;
  for (const honed_binding *b = plan->in_inputs.items, *end = b + plan->in_inputs.count; b < end; b++) {
    plan->tensors[b->value].data = (void *)inputs[b->index].data; /* read only: operators write activations and outputs alone */
  }
  for (const honed_binding *b = plan->in_outputs.items, *end = b + plan->in_outputs.count; b < end; b++) {
    plan->tensors[b->value].data = outputs[b->index].data;
  }
  return NULL;
}

static void run_op(const honed_session *session, size_t index, size_t num_threads) {
  const honed_plan *plan = session->plan;
  const honed_call *call = &plan->calls[index];
  if (call->num_tasks == 0) return;
  for (int i = 0; i < call->num_outputs; i++) {
    if (call->outputs[i]->layout == HONED_PLANAR) honed_planar_fill_lead(call->outputs[i]);
  }
  honed_thread_pool_run(session->model->engine->pool, call, plan->buffer + plan->activation_bytes, plan->scratch_stride, num_threads);
}

/* Fewer than the session's in a child process. */
static size_t usable_threads(const honed_session *session) {
  if (session->num_threads == 1) return 1;
  const size_t available = honed_engine_num_threads(session->model->engine);
  return session->num_threads < available ? session->num_threads : available;
}

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run_profiled(honed_session *session, size_t num_threads) {
  double before = now_seconds();
  for (size_t i = 0; i < session->model->artifact.num_ops; i++) {
    run_op(session, i, num_threads);
    const double after = now_seconds();
    session->profile_seconds[i] += after - before;
    before = after;
  }
  session->profile_runs++;
}

honed_error *honed_session_run(honed_session *session, const honed_input *inputs, size_t num_inputs, const honed_output *outputs,
                               size_t num_outputs) {
  const honed_plan *plan = session->plan;
  if (plan == NULL) return no_shapes();
  honed_error *error = bind_buffers(session, inputs, num_inputs, outputs, num_outputs);
  if (error != NULL) return error;
  const size_t num_threads = usable_threads(session);
  if (session->profiling) {
    run_profiled(session, num_threads);
  } else {
    for (size_t i = 0; i < session->model->artifact.num_ops; i++) run_op(session, i, num_threads);
  }
  for (const honed_binding *b = plan->copies.items, *end = b + plan->copies.count; b < end; b++) {
    const honed_tensor *t = &plan->tensors[b->value];
    const size_t bytes = honed_tensor_buffer_bytes(t);
    if (bytes > 0) memcpy(outputs[b->index].data, t->data, bytes);
  }
  return NULL;
}

size_t honed_session_num_threads(const honed_session *session) { return session->num_threads; }

size_t honed_session_memory_bytes(const honed_session *session) { return session->plan == NULL ? 0 : honed_plan_bytes(session->plan); }

void honed_session_profile(honed_session *session, int enabled) {
  session->profiling = enabled != 0;
  if (!session->profiling) return;
  session->profile_runs = 0;
  for (uint32_t i = 0; i < session->model->artifact.num_ops; i++) session->profile_seconds[i] = 0;
}

uint64_t honed_session_profile_runs(const honed_session *session) { return session->profile_runs; }

double honed_session_profile_seconds(const honed_session *session, size_t op) {
  return op < session->model->artifact.num_ops ? session->profile_seconds[op] : 0;
}

int64_t honed_session_op_tasks(const honed_session *session, size_t op) {
  return session->plan != NULL && op < session->model->artifact.num_ops ? session->plan->calls[op].num_tasks : 0;
}
