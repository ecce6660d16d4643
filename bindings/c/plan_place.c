#include <stddef.h>

#include "error.h"
#include "memory_plan.h"
#include "plan.h"

enum { alignment = 64 };

/* Where the memory of one value comes from. */
typedef struct storage {
  uint32_t root;         /* the value whose memory it is: another one for views */
  uint32_t first, last;  /* of a root: the operator that writes it, and the last that reads it or a view of it */
  bool is_activation;    /* of a root: an operator writes it */
  bool in_output;        /* of a root: it lies in one of the caller's outputs, */
  uint32_t output;       /* this one */
  size_t before, behind; /* of a root that lies in the buffer: bytes before the first element, and from there on */
  size_t offset;         /* where it begins */
} storage;

static bool is_view(const honed_model_op *op) { return (op->type->flags & HONED_OP_VIEW) != 0; }

static void trace_op(const honed_model *model, uint32_t index, storage *values) {
  const honed_model_op *op = &model->ops[index];
  for (uint32_t i = 0; i < op->num_inputs; i++) {
    if (op->inputs[i] != HONED_FILE_NONE) values[values[op->inputs[i]].root].last = index;
  }
  for (uint32_t i = 0; i < op->num_outputs; i++) {
    storage *s = &values[op->outputs[i]];
    if (is_view(op)) {
      s->root = values[op->inputs[0]].root;
    } else {
      s->first = s->last = index;
      s->is_activation = true;
    }
  }
}

/* Values that are given are there from the plan's first operator on, and those that are handed over to its end. */
static void trace(const honed_plan *plan, storage *values) {
  const uint32_t num_values = plan->model->artifact.num_values;
  for (uint32_t v = 0; v < num_values && plan->given != NULL; v++) {
    if (!plan->given[v]) continue;
    values[v].first = values[v].last = plan->first;
    values[v].is_activation = true;
  }
  for (uint32_t i = plan->first; i < plan->end; i++) trace_op(plan->model, i, values);
  for (uint32_t v = 0; v < num_values && plan->handed_over != NULL; v++) {
    if (plan->handed_over[v]) values[values[v].root].last = plan->end;
  }
}

static void append(honed_bindings *list, uint32_t value, uint32_t index) { list->items[list->count++] = (honed_binding){value, index}; }

/* An output of the graph that an operator writes lies in the caller's buffer; one that is an input, a constant or the same memory as
 * another output is copied there. */
static void place_outputs(honed_plan *plan, storage *values) {
  const honed_artifact *a = &plan->model->artifact;
  for (uint32_t i = 0; i < a->num_outputs; i++) {
    storage *root = &values[values[a->outputs[i]].root];
    if (root->is_activation && !root->in_output) {
      root->in_output = true;
      root->output = i;
    } else {
      append(&plan->copies, a->outputs[i], i);
    }
  }
}

static bool in_buffer(const storage *root) { return root->is_activation && !root->in_output; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static void measure(const honed_plan *plan, storage *values) {
  for (uint32_t v = 0; v < plan->model->artifact.num_values; v++) {
    if (!in_buffer(&values[v])) continue;
    values[v].before = honed_tensor_data_offset(&plan->tensors[v]);
    values[v].behind = honed_tensor_buffer_bytes(&plan->tensors[v]) - values[v].before;
  }
}

/* While outputs are merged, a view leads to an output, and that to the value whose memory it took over. */
static uint32_t root_of(const storage *values, uint32_t value) {
  while (values[value].root != value) value = values[value].root;
  return value;
}

/* Whether operator `index` is the last to read its input `input`, and reads it as nothing else. */
static bool uses_up(const honed_plan *plan, uint32_t index, uint32_t input, const storage *values) {
  const honed_model_op *op = &plan->model->ops[index];
  if (op->inputs[input] == HONED_FILE_NONE) return false;
  const uint32_t root = root_of(values, op->inputs[input]);
  for (uint32_t i = 0; i < op->num_inputs; i++) {
    if (i != input && op->inputs[i] != HONED_FILE_NONE && root_of(values, op->inputs[i]) == root) return false;
  }
  return in_buffer(&values[root]) && values[root].last == index;
}

/* Whether the output of operator `index` may take the place of its input `input`. */
static bool may_take(const honed_plan *plan, uint32_t index, uint32_t input, const storage *values) {
  const honed_model_op *op = &plan->model->ops[index];
  const unsigned over = input == 0 ? HONED_OP_OVER_FIRST : HONED_OP_OVER_SECOND;
  return (op->type->flags & over) != 0 && in_buffer(&values[op->outputs[0]]) && uses_up(plan, index, input, values) &&
         honed_tensor_same_places(&plan->tensors[op->inputs[input]], &plan->tensors[op->outputs[0]]);
}

/* Outputs that take the place of an input: less memory, and near. */
static void merge_op(const honed_plan *plan, uint32_t index, storage *values) {
  const honed_model_op *op = &plan->model->ops[index];
  for (uint32_t input = 0; input < 2 && input < op->num_inputs; input++) {
    if (!may_take(plan, index, input, values)) continue;
    const uint32_t root = root_of(values, op->inputs[input]);
    storage *own = &values[op->outputs[0]];
    values[root].last = own->last;
    values[root].before = larger(values[root].before, own->before);
    values[root].behind = larger(values[root].behind, own->behind);
    own->is_activation = false;
    own->root = root;
    return;
  }
}

/* Lists the values by where their memory is. That of constants is known already. */
static void bind_values(honed_plan *plan, const storage *values) {
  const honed_artifact *a = &plan->model->artifact;
  for (uint32_t v = 0; v < a->num_values; v++) {
    const storage *root = &values[values[v].root];
    plan->tensors[v].data = plan->tensors[values[v].root].data;
    if (root->in_output) append(&plan->in_outputs, v, root->output);
    if (in_buffer(root)) {
      plan->slots[plan->num_slots++] = (honed_slot){v, root->offset + root->before};
    }
    for (uint32_t i = 0; i < a->num_inputs; i++) {
      if (a->inputs[i] == values[v].root) append(&plan->in_inputs, v, i);
    }
  }
}

static honed_error *place_activations(honed_plan *plan, storage *values) {
  const uint32_t num_values = plan->model->artifact.num_values;
  honed_piece *pieces = NULL;
  honed_error *error = honed_plan_table(plan, num_values, sizeof *pieces, &pieces);
  if (error != NULL) return error;
  uint32_t count = 0;
  for (uint32_t v = 0; v < num_values; v++) {
    if (!in_buffer(&values[v])) continue;
    pieces[count++] = (honed_piece){values[v].before + values[v].behind, values[v].first, values[v].last, 0};
  }
  honed_context ctx;
  const honed_status status = honed_memory_plan(pieces, count, &plan->activation_bytes, &ctx);
  if (status != HONED_OK) return honed_error_new(status, "%s", ctx.message);
  count = 0;
  for (uint32_t v = 0; v < num_values; v++) {
    if (in_buffer(&values[v])) values[v].offset = pieces[count++].offset;
  }
  return NULL;
}

static honed_error *place_scratch(honed_plan *plan) {
  size_t bytes = 0, all = 0;
  for (uint32_t i = plan->first; i < plan->end; i++) {
    if (plan->calls[i].scratch_bytes > bytes) bytes = plan->calls[i].scratch_bytes;
  }
  if (bytes > PTRDIFF_MAX - alignment) return honed_error_new(HONED_OUT_OF_MEMORY, "scratch");
  plan->scratch_stride = (bytes + alignment - 1) / alignment * alignment;
  if (__builtin_mul_overflow(plan->scratch_stride, plan->num_threads, &all) || __builtin_add_overflow(all, plan->activation_bytes, &all) ||
      all > PTRDIFF_MAX) {
    return honed_error_new(HONED_OUT_OF_MEMORY, "scratch");
  }
  return NULL;
}

honed_error *honed_plan_place(honed_plan *plan) {
  const honed_artifact *a = &plan->model->artifact;
  storage *values = NULL;
  honed_error *error = honed_plan_table(plan, a->num_values, sizeof *values, &values);
  if (error == NULL) error = honed_plan_table(plan, a->num_values, sizeof(honed_binding), &plan->in_inputs.items);
  if (error == NULL) error = honed_plan_table(plan, a->num_values, sizeof(honed_binding), &plan->in_outputs.items);
  if (error == NULL) error = honed_plan_table(plan, a->num_values, sizeof(honed_slot), &plan->slots);
  if (error == NULL) error = honed_plan_table(plan, a->num_outputs, sizeof(honed_binding), &plan->copies.items);
  if (error != NULL) return error;
  for (uint32_t v = 0; v < a->num_values; v++) values[v].root = v;
  trace(plan, values);
  if (plan->handed_over == NULL) place_outputs(plan, values);
  measure(plan, values);
  for (uint32_t i = plan->first; i < plan->end; i++) merge_op(plan, i, values);
  for (uint32_t v = 0; v < a->num_values; v++) values[v].root = root_of(values, v);
  error = place_activations(plan, values);
  if (error == NULL) error = place_scratch(plan);
  if (error == NULL) bind_values(plan, values);
  return error;
}

honed_error *honed_plan_allocate(honed_plan *plan, honed_plan *previous) {
  const size_t needed = honed_plan_bytes(plan);
  if (previous != NULL && previous->buffer_bytes >= needed) {
    plan->buffer = previous->buffer;
    plan->buffer_bytes = previous->buffer_bytes;
    previous->buffer = NULL;
    previous->buffer_bytes = 0;
  } else {
    plan->buffer = honed_aligned_alloc(needed);
    if (plan->buffer == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "%zu bytes of activations", needed);
    plan->buffer_bytes = needed;
  }
  for (uint32_t i = 0; i < plan->num_slots; i++) plan->tensors[plan->slots[i].value].data = plan->buffer + plan->slots[i].offset;
  return NULL;
}
