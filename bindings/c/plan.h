/* A plan: a model at one set of input shapes, ready to run. Shapes and strides of all values, each operator's call, where every
 * value lies, and the memory. */
#ifndef HONED_PLAN_H
#define HONED_PLAN_H

#include "model.h"

/* A value that lies in, or is copied to, one of the caller's buffers. */
typedef struct honed_binding {
  uint32_t value;
  uint32_t index; /* of the graph's input or output */
} honed_binding;

typedef struct honed_bindings {
  honed_binding *items;
  uint32_t count;
} honed_bindings;

/* A value that lies in the plan's buffer. */
typedef struct honed_slot {
  uint32_t value;
  size_t offset; /* of the tensor's data */
} honed_slot;

/* Memory for one thread that prepares calls. */
typedef struct honed_call_memory {
  _Alignas(64) honed_arena arena;
} honed_call_memory;

typedef struct honed_plan {
  const honed_model *model;
  size_t num_threads;
  uint32_t first, end; /* the operators that it runs; those before `first` have shapes alone */
  /* For honed_plan_place, by value; NULL: none. What operators before `first` compute, and somebody else gives; what goes to the plan of
   * the operators from `end` on, which has the graph's outputs. */
  const bool *given, *handed_over;
  honed_arena tables;             /* everything below but the buffer */
  honed_call_memory *call_memory; /* [num_threads]: of the calls' reshape, which uses the first, and plans */
  honed_tensor *tensors;          /* one per value */
  honed_call *calls;              /* one per operator */
  honed_bindings in_inputs;       /* values that lie in the caller's inputs */
  honed_bindings in_outputs;      /* values that lie in the caller's outputs */
  honed_bindings copies;          /* values that are copied to the caller's outputs after the last operator */
  honed_slot *slots;              /* values that lie in the buffer */
  uint32_t num_slots;
  size_t activation_bytes; /* the buffer: activations, then scratch_stride bytes per thread */
  size_t scratch_stride;
  char *buffer;
  size_t buffer_bytes;
} honed_plan;

/* Shapes of the operators before `end`, for input shapes that have been checked against the model's. Calls have no plans yet that take
 * long to make (honed_plan_prepare), and nothing is placed. On success *out is the caller's (honed_plan_delete). */
honed_error *honed_plan_new(const honed_model *model, const honed_shape *shapes, size_t num_threads, uint32_t end, honed_plan **out);

/* Leaves operators before `first`, whose values are given, to somebody else, and frees what their calls have. */
honed_error *honed_plan_skip(honed_plan *plan, uint32_t first, const bool given[]);

void honed_plan_delete(honed_plan *plan);

/* Gives the plan its buffer: the one of `previous` (NULL: none), which then has none, where it is large enough; else a new one. On
 * failure nothing changes. */
honed_error *honed_plan_allocate(honed_plan *plan, honed_plan *previous);

/* Bytes that the plan needs. */
size_t honed_plan_bytes(const honed_plan *plan);

/* Makes the plans of all calls that will run, on the engine's threads. */
honed_error *honed_plan_prepare(honed_plan *plan);

/* Decides where each value lies, from the shapes and the operators' calls. Fills everything from in_inputs on. The plan has no buffer yet.
 */
honed_error *honed_plan_place(honed_plan *plan);

/* An array in the plan's tables, zeroed. `out` points to a pointer. */
honed_error *honed_plan_table(honed_plan *plan, size_t count, size_t bytes, void *out);

#endif
