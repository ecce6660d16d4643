#include <string.h>
#include <time.h>

#include "error.h"
#include "session.h"

static honed_error *check_count(size_t found, size_t expected, const char *what) {
  if (found == expected) return NULL;
  return honed_error_new(HONED_INVALID_ARGUMENT, "%zu %s, expected %zu", found, what, expected);
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

/* Who runs a plan. */
typedef struct runner {
  honed_thread_pool *pool;
  honed_caller caller;
  size_t num_threads;
} runner;

static void run_op(runner *r, const honed_plan *plan, size_t index) {
  const honed_call *call = &plan->calls[index];
  if (call->num_tasks == 0) return;
  for (int i = 0; i < call->num_outputs; i++) {
    if (call->outputs[i]->layout == HONED_PLANAR) honed_planar_fill_lead(call->outputs[i]);
  }
  honed_thread_pool_run(r->pool, &r->caller, call, plan->buffer + plan->activation_bytes, plan->scratch_stride, r->num_threads);
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

static void run_profiled(honed_session *session, runner *r, const honed_plan *plan) {
  double before = now_seconds();
  for (size_t i = plan->first; i < plan->end; i++) {
    run_op(r, plan, i);
    const double after = now_seconds();
    session->profile_seconds[i] += after - before;
    before = after;
  }
}

static void run_plan(honed_session *session, runner *r, const honed_plan *plan) {
  if (session->profiling) {
    run_profiled(session, r, plan);
  } else {
    for (size_t i = plan->first; i < plan->end; i++) run_op(r, plan, i);
  }
}

/* Both plans of a batch, or the one that there is. */
static void run_plans(honed_session *session, const honed_plan *plan) {
  honed_thread_pool *pool = session->model->engine->pool;
  runner r = {pool, honed_thread_pool_enter(pool), usable_threads(session)};
  const honed_batch *batch = &session->batch;
  for (int64_t i = 0; i < batch->slices; i++) {
    honed_batch_bind(batch, plan, i);
    run_plan(session, &r, batch->slice);
    honed_batch_collect(batch, plan, i);
  }
  run_plan(session, &r, plan);
  honed_thread_pool_leave(pool, &r.caller);
}

honed_error *honed_session_run(honed_session *session, const honed_input *inputs, size_t num_inputs, const honed_output *outputs,
                               size_t num_outputs) {
  const honed_plan *plan = session->plan;
  if (plan == NULL) return honed_session_without_shapes();
  honed_error *error = bind_buffers(session, inputs, num_inputs, outputs, num_outputs);
  if (error != NULL) return error;
  run_plans(session, plan);
  if (session->profiling) session->profile_runs++;
  for (const honed_binding *b = plan->copies.items, *end = b + plan->copies.count; b < end; b++) {
    const honed_tensor *t = &plan->tensors[b->value];
    const size_t bytes = honed_tensor_buffer_bytes(t);
    if (bytes > 0) memcpy(outputs[b->index].data, t->data, bytes);
  }
  return NULL;
}
