#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "session.h"
#include "shape_check.h"

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
  honed_plan_delete(session->batch.slice);
  honed_model_delete(session->model);
  free(session);
}

static bool has_shapes(const honed_session *session, const honed_shape *shapes) {
  if (session->plan == NULL) return false;
  for (uint32_t i = 0; i < session->model->artifact.num_inputs; i++) {
    const honed_tensor *t = &session->plan->tensors[session->model->inputs[i].index];
    if (memcmp(t->dims, shapes[i].dims, shapes[i].rank * sizeof t->dims[0]) != 0) return false;
  }
  return true;
}

honed_error *honed_session_reshape(honed_session *session, const honed_shape *shapes, size_t num_inputs) {
  const honed_model *model = session->model;
  honed_error *error = honed_check_input_shapes(model, shapes, num_inputs);
  if (error != NULL || has_shapes(session, shapes)) return error;
  honed_plan *plan = NULL;
  honed_batch batch = {0};
  error = honed_plan_new(model, shapes, session->num_threads, model->artifact.num_ops, &plan);
  if (error != NULL) return error;
  error = honed_batch_plan(plan, shapes, &batch);
  if (error == NULL && batch.slice != NULL) error = honed_plan_allocate(batch.slice, NULL);
  if (error == NULL) error = honed_plan_allocate(plan, session->plan);
  if (error != NULL) {
    honed_plan_delete(plan);
    honed_plan_delete(batch.slice);
    return error;
  }
  honed_plan_delete(session->plan);
  honed_plan_delete(session->batch.slice);
  session->plan = plan;
  session->batch = batch;
  return NULL;
}

honed_error *honed_session_without_shapes(void) {
  return honed_error_new(HONED_INVALID_ARGUMENT, "the model's input shapes are not fixed, and honed_session_reshape has not set them");
}

honed_error *honed_session_output_shape(const honed_session *session, size_t index, honed_shape *out) {
  if (session->plan == NULL) return honed_session_without_shapes();
  if (index >= session->model->artifact.num_outputs) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "output %zu of %" PRIu32, index, session->model->artifact.num_outputs);
  }
  const honed_tensor *t = &session->plan->tensors[session->model->outputs[index].index];
  honed_shape shape = {.rank = (size_t)t->rank};
  memcpy(shape.dims, t->dims, sizeof shape.dims);
  *out = shape;
  return NULL;
}

size_t honed_session_num_threads(const honed_session *session) { return session->num_threads; }

size_t honed_session_memory_bytes(const honed_session *session) {
  if (session->plan == NULL) return 0;
  return honed_plan_bytes(session->plan) + (session->batch.slice == NULL ? 0 : honed_plan_bytes(session->batch.slice));
}

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
  if (session->plan == NULL || op >= session->model->artifact.num_ops) return 0;
  if (op >= session->plan->first) return session->plan->calls[op].num_tasks;
  return session->batch.slice->calls[op].num_tasks * session->batch.slices;
}
