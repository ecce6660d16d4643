/* Operators: how everything that runs is created, shaped and run.
 *
 *   create    once per model: checks attributes and constants (they come from a file and are hostile until checked), keeps
 *             pointers to the packed constants, chooses the kernel for the allowed instruction sets. Immutable afterwards and
 *             shared by all sessions and threads.
 *   reshape   once per session and set of input shapes: output shapes, number of tasks, scratch per thread, and whatever
 *             tables depend on shapes (the plan).
 *   make_plan the part of reshape that takes long, where there is one: all but the outputs' shapes. Operators' plans are made
 *             at the same time, and for a batch only those that will run.
 *   kernel    per run: tasks [begin, end), any subset on any thread in any order; the results do not depend on the split.
 *             Allocates nothing and cannot fail.
 *
 * The kernel type is the only thing that the executor calls, and it is plain C: a Numba @cfunc or a compiled TVM function fits. */
#ifndef HONED_BASE_OPERATOR_H
#define HONED_BASE_OPERATOR_H

#include <stdint.h>

#include "cpu.h"
#include "memory.h"
#include "status.h"
#include "tensor.h"

enum { HONED_MAX_INPUTS = 64, HONED_MAX_OUTPUTS = 64 };

/* An attribute: a name and a number. Arrays are constants. */
typedef struct honed_attr {
  const char *name;
  bool is_float;
  int64_t i;
  double f;
} honed_attr;

/* What a model says of one operator. `inputs` and `outputs` carry dtype, layout, gaps and zero point (shapes come with reshape);
 * an optional input that is left out is NULL, and stays NULL in every call. `consts` are dense; their data is valid for as long as
 * the operator lives, and aligned to 64 bytes. */
typedef struct honed_op_spec {
  const honed_attr *attrs;
  int num_attrs;
  const honed_tensor *const *inputs;
  int num_inputs;
  const honed_tensor *const *outputs;
  int num_outputs;
  const honed_tensor *consts;
  int num_consts;
  honed_isa isa; /* what may be used */
} honed_op_spec;

typedef struct honed_call honed_call;

typedef void (*honed_kernel)(const honed_call *call, void *scratch, int64_t task_begin, int64_t task_end);

/* One operator within one session. */
struct honed_call {
  const void *params;          /* what create made */
  const honed_tensor **inputs; /* NULL: an optional input that is left out */
  honed_tensor **outputs;
  int num_inputs, num_outputs;
  /* Filled by reshape. */
  honed_status (*make_plan)(honed_call *call, honed_context *ctx); /* fills what follows; NULL: reshape has done that */
  honed_kernel kernel;
  int64_t num_tasks;
  bool prepares;          /* a range of tasks has preparations that do not shrink with it: the executor keeps ranges long */
  size_t scratch_bytes;   /* per thread; the executor hands over 64-byte-aligned memory, uninitialised */
  void *plan;             /* from honed_call_alloc, or NULL */
  honed_arena *allocator; /* the calling thread's, for honed_call_alloc */
};

typedef struct honed_op_type {
  const char *name;
  /* Stores in *params what destroy will free. On failure *params is not written. */
  honed_status (*create)(const honed_op_spec *spec, void **params, honed_context *ctx);
  void (*destroy)(void *params);
  /* Reads the inputs' shapes (and strides), calls honed_call_output for every output, and sets make_plan, or kernel, num_tasks,
   * scratch_bytes and plan. May be called again at any time with other shapes. The inputs' data is not there yet: shapes
   * never depend on values. */
  honed_status (*reshape)(honed_call *call, honed_context *ctx);
  /* The chosen kernel's name, e.g. "honed_dense_conv_u8s8_8x3__avx512vnni"; for `inspect` and tests. */
  const char *(*kernel_name)(const void *params);
  unsigned flags;
} honed_op_type;

enum {
  /* output 0 has the same elements in the same order as input 0 (dense): it shares the memory, nothing runs */
  HONED_OP_VIEW = 1 << 0,
  /* output 0 may lie where input 0, or input 1, does, if that has its elements at the same places (honed_tensor_same_places) and is no
   * other input: a task reads no element of it that another one writes, nor one that it has written itself */
  HONED_OP_OVER_FIRST = 1 << 1,
  HONED_OP_OVER_SECOND = 1 << 2,
  /* where all inputs but constants have the same first dimension, and the outputs have it, too: what is at a place of that axis in the
   * outputs depends on what is there in the inputs alone */
  HONED_OP_PER_IMAGE = 1 << 3,
};

/* All operator types, ended by one with a NULL name; and the one with a name, or NULL. */
const honed_op_type *const *honed_op_types(void);
const honed_op_type *honed_op_type_find(const char *name);

/* Attributes. Absent: the default. Of the wrong kind or outside [lo, hi]: HONED_INVALID_ARTIFACT. */
honed_status honed_attr_int(const honed_op_spec *spec, const char *name, int64_t fallback, int64_t lo, int64_t hi, int64_t *out,
                            honed_context *ctx);
honed_status honed_attr_float(const honed_op_spec *spec, const char *name, double fallback, float *out, honed_context *ctx);

/* Constant `index`, checked to have `dtype` and exactly `count` elements. */
honed_status honed_const_get(const honed_op_spec *spec, int index, honed_dtype dtype, int64_t count, const void **out, honed_context *ctx);

/* For reshape. Sets an output's shape and strides. */
honed_status honed_call_output(honed_call *call, int index, int rank, const int64_t *dims, honed_context *ctx);

/* For reshape and make_plan. 64-byte-aligned memory that lives until the next reshape of this call. Freed by the session, which
 * also seals code from honed_arena_map_code before the kernel runs. */
honed_status honed_call_alloc(honed_call *call, size_t bytes, void **out, honed_context *ctx);

/* For create and reshape: the number of inputs and outputs lies in the given ranges. */
honed_status honed_spec_arity(const honed_op_spec *spec, int min_inputs, int max_inputs, int num_outputs, honed_context *ctx);

/* Valid-pixel masks of a planar tensor, for kernels that store whole vectors: bit i of word v says whether flat pixel 64 * v + i is
 * valid. `out` has plane_stride / 64 words. Where a bit is clear the kernel stores `fill`. */
void honed_planar_masks(const honed_tensor *t, uint64_t *out);

#endif
