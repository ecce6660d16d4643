#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

honed_error *honed_plan_table(honed_plan *plan, size_t count, size_t bytes, void *out) {
  void *memory = NULL;
  honed_context ctx;
  const honed_status status = honed_arena_alloc(&plan->tables, count * bytes, &memory, &ctx);
  if (status != HONED_OK) return honed_error_new(status, "%s", ctx.message);
  memset(memory, 0, count * bytes);
  memcpy(out, &memory, sizeof memory);
  return NULL;
}

/* Sets up operator `index`'s call. */
static honed_error *connect(honed_plan *plan, uint32_t index) {
  const honed_model_op *op = &plan->model->ops[index];
  honed_call *call = &plan->calls[index];
  const honed_tensor **inputs = NULL;
  honed_tensor **outputs = NULL;
  honed_error *error = honed_plan_table(plan, op->num_inputs, sizeof *inputs, &inputs);
  if (error == NULL) error = honed_plan_table(plan, op->num_outputs, sizeof *outputs, &outputs);
  if (error != NULL) return error;
  for (uint32_t i = 0; i < op->num_inputs; i++) inputs[i] = op->inputs[i] == HONED_FILE_NONE ? NULL : &plan->tensors[op->inputs[i]];
  for (uint32_t i = 0; i < op->num_outputs; i++) outputs[i] = &plan->tensors[op->outputs[i]];
  *call = (honed_call){.params = op->params,
                       .inputs = inputs,
                       .outputs = outputs,
                       .num_inputs = (int)op->num_inputs,
                       .num_outputs = (int)op->num_outputs,
                       .allocator = &plan->call_memory->arena};
  return NULL;
}

/* That a view can share its input's memory is the operator type's promise, for layouts and dtypes that come from a file. */
static bool is_proper_view(const honed_call *call) {
  if (call->num_inputs < 1 || call->num_outputs != 1 || call->inputs[0] == NULL) return false;
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  return x->layout == HONED_DENSE && y->layout == HONED_DENSE && x->dtype == y->dtype && honed_tensor_count(x) == honed_tensor_count(y);
}

static honed_error *reshape_op(honed_plan *plan, uint32_t index) {
  const honed_model_op *op = &plan->model->ops[index];
  honed_call *call = &plan->calls[index];
  honed_context ctx;
  honed_status status = op->type->reshape(call, &ctx);
  if (status == HONED_OK && (op->type->flags & HONED_OP_VIEW) != 0) {
    call->num_tasks = 0;
    call->scratch_bytes = 0;
    if (!is_proper_view(call)) status = honed_fail(&ctx, HONED_INVALID_ARTIFACT, "input and output differ in dtype, layout or size");
  }
  if (status == HONED_OK) return NULL;
  return honed_error_new(status, "%s (%s): %s", op->name, op->type->name, ctx.message);
}

static honed_error *set_input_shape(honed_plan *plan, uint32_t index, const honed_shape *shape) {
  const honed_value *input = &plan->model->inputs[index];
  honed_context ctx;
  const honed_status status = honed_tensor_reshape(&plan->tensors[input->index], (int)shape->rank, shape->dims, &ctx);
  return status == HONED_OK ? NULL : honed_error_new(status, "input %s: %s", input->name, ctx.message);
}

static honed_error *build(honed_plan *plan, const honed_shape *shapes) {
  const honed_artifact *a = &plan->model->artifact;
  honed_error *error = honed_plan_table(plan, plan->num_threads, sizeof *plan->call_memory, &plan->call_memory);
  if (error == NULL) error = honed_plan_table(plan, a->num_values, sizeof *plan->tensors, &plan->tensors);
  if (error == NULL) error = honed_plan_table(plan, a->num_ops, sizeof *plan->calls, &plan->calls);
  if (error != NULL) return error;
  if (a->num_values > 0) memcpy(plan->tensors, plan->model->tensors, a->num_values * sizeof *plan->tensors);
  for (uint32_t i = 0; i < a->num_inputs && error == NULL; i++) error = set_input_shape(plan, i, &shapes[i]);
  for (uint32_t i = 0; i < plan->end && error == NULL; i++) error = connect(plan, i);
  for (uint32_t i = 0; i < plan->end && error == NULL; i++) error = reshape_op(plan, i);
  return error;
}

honed_error *honed_plan_new(const honed_model *model, const honed_shape *shapes, size_t num_threads, uint32_t end, honed_plan **out) {
  honed_plan *plan = calloc(1, sizeof *plan);
  if (plan == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "plan");
  plan->model = model;
  plan->num_threads = num_threads;
  plan->end = end;
  honed_error *error = build(plan, shapes);
  if (error == NULL) {
    *out = plan;
  } else {
    honed_plan_delete(plan);
  }
  return error;
}

static void clear_calls(honed_plan *plan) {
  for (size_t i = 0; i < plan->num_threads && plan->call_memory != NULL; i++) honed_arena_clear(&plan->call_memory[i].arena);
}

honed_error *honed_plan_skip(honed_plan *plan, uint32_t first, const bool given[]) {
  honed_error *error = NULL;
  clear_calls(plan);
  plan->first = first;
  plan->given = given;
  for (uint32_t i = first; i < plan->end && error == NULL; i++) error = reshape_op(plan, i);
  return error;
}

void honed_plan_delete(honed_plan *plan) {
  if (plan == NULL) return;
  free(plan->buffer);
  clear_calls(plan);
  honed_arena_clear(&plan->tables);
  free(plan);
}

size_t honed_plan_bytes(const honed_plan *plan) { return plan->activation_bytes + plan->num_threads * plan->scratch_stride; }
