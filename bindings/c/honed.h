/* honed: runs compiled models (.honed files).
 *
 *   honed_engine   one per process, or a few: the threads, and the instruction sets that may be used
 *   honed_model    one per .honed file: immutable, memory-mapped, shared by any number of sessions and threads
 *   honed_session  one per thread of the caller: input shapes, memory for activations
 *
 * Threads. A pointer to const may be used by several threads at once; a pointer to non-const by one thread at a time.
 *
 * Lifetime. Every object is deleted by its own *_delete function; deleting NULL does nothing. A model keeps its engine alive and a
 * session its model, so the order of deletion is free. Strings belong to the object that they were asked of and live as long as it.
 *
 * Errors. A function that can fail returns NULL for success, or an error that the caller deletes; then nothing that its last
 * parameters point to was written. The library never prints and never aborts.
 *
 * fork(). A child process has none of the engine's threads. What was made before fork(), and was not in use then, works there on the
 * calling thread alone; for more threads the child makes an engine of its own.
 *
 * The library reads one environment variable, when an engine is made: HONED_ISA (scalar, avx2, avx512, avx512vnni) bounds the
 * instruction sets. */
#ifndef HONED_H
#define HONED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HONED_API __attribute__((visibility("default")))

#define HONED_VERSION "0.1.0"

/* Grows by one whenever something is added to this interface. What exists keeps its meaning. */
#define HONED_ABI_VERSION 1

/* HONED_VERSION and HONED_ABI_VERSION of the library, as opposed to those of the header. */
HONED_API const char *honed_version(void);
HONED_API uint32_t honed_abi_version(void);

/* ---- Errors ---- */

typedef enum honed_error_code {
  HONED_ERROR_INVALID_ARGUMENT = 1, /* the caller passed something that the function excludes */
  HONED_ERROR_INVALID_SHAPE = 2,    /* a shape that the model does not accept */
  HONED_ERROR_INVALID_ARTIFACT = 3, /* not a .honed file, or a truncated or altered one */
  HONED_ERROR_UNSUPPORTED = 4,      /* a model that this library or this CPU cannot run */
  HONED_ERROR_OUT_OF_MEMORY = 5,
  HONED_ERROR_IO = 6,
} honed_error_code;

typedef struct honed_error honed_error;

HONED_API honed_error_code honed_error_get_code(const honed_error *error);

/* One line that says what, where, the value found and what was expected. Lives as long as the error. */
HONED_API const char *honed_error_message(const honed_error *error);

HONED_API void honed_error_delete(honed_error *error);

/* ---- Engine ---- */

typedef struct honed_engine honed_engine;

typedef struct honed_engine_options {
  size_t struct_size; /* sizeof(honed_engine_options) */
  size_t num_threads; /* at most 1024; 0: the CPUs that this process may use, by affinity and cgroup quota */
} honed_engine_options;

/* Makes an engine and starts its threads: one less than num_threads, since callers work as well. `options` is read during the call
 * only; NULL: defaults. On success *out is owned by the caller (honed_engine_delete). */
HONED_API honed_error *honed_engine_new(const honed_engine_options *options, honed_engine **out);

/* The engine's threads end when the last model of the engine is deleted. */
HONED_API void honed_engine_delete(honed_engine *engine);

HONED_API size_t honed_engine_num_threads(const honed_engine *engine);

/* The instruction sets in use: "scalar", "avx2", "avx512" or "avx512vnni". */
HONED_API const char *honed_engine_isa(const honed_engine *engine);

/* ---- Model ---- */

typedef struct honed_model honed_model;

/* Loads a compiled model. The file is mapped into memory and shared with other processes that map it; it must not be changed in
 * place while the model lives (replacing it by renaming another file over it is fine). On success *out is owned by the caller
 * (honed_model_delete). */
HONED_API honed_error *honed_model_load_file(const honed_engine *engine, const char *path, honed_model **out);

/* The same from memory. `bytes` are copied, and are read during the call only. */
HONED_API honed_error *honed_model_load_bytes(const honed_engine *engine, const void *bytes, size_t size, honed_model **out);

/* The same without a copy. `bytes` are aligned to 64 bytes, and neither change nor go away while the model, or a session of it, lives. */
HONED_API honed_error *honed_model_load_borrowed(const honed_engine *engine, const void *bytes, size_t size, honed_model **out);

HONED_API void honed_model_delete(honed_model *model);

/* Element types of inputs and outputs. */
typedef enum honed_element_type {
  HONED_ELEMENT_F32 = 1,
  HONED_ELEMENT_U8 = 2,
  HONED_ELEMENT_S8 = 3,
  HONED_ELEMENT_S32 = 4,
  HONED_ELEMENT_S64 = 5,
  HONED_ELEMENT_BOOL = 6, /* one byte, 0 or 1 */
  HONED_ELEMENT_F64 = 8,
} honed_element_type;

/* Bytes of one element; 0 for a value that is no honed_element_type. */
HONED_API size_t honed_element_bytes(honed_element_type type);

#define HONED_MAX_DIMS 8

typedef struct honed_shape {
  size_t rank;
  int64_t dims[HONED_MAX_DIMS];
} honed_shape;

/* What a model says of one of its inputs or outputs. Belongs to the model. */
typedef struct honed_value honed_value;

HONED_API size_t honed_model_num_inputs(const honed_model *model);
HONED_API size_t honed_model_num_outputs(const honed_model *model);

/* NULL where there is no such input or output. */
HONED_API const honed_value *honed_model_input(const honed_model *model, size_t index);
HONED_API const honed_value *honed_model_output(const honed_model *model, size_t index);

HONED_API const char *honed_value_name(const honed_value *value);
HONED_API honed_element_type honed_value_type(const honed_value *value);

/* A dimension that differs from run to run is -1. */
HONED_API honed_shape honed_value_shape(const honed_value *value);

/* The name of a dimension, such as "batch", or NULL where it has none. Dimensions of one name have one size. */
HONED_API const char *honed_value_symbol(const honed_value *value, size_t axis);

/* The operators, in the order in which they run. */
HONED_API size_t honed_model_num_ops(const honed_model *model);

/* NULL where there is no such operator. The name is that of the ONNX node (or nodes); the type one of the runtime's operators. */
HONED_API const char *honed_model_op_name(const honed_model *model, size_t index);
HONED_API const char *honed_model_op_type(const honed_model *model, size_t index);
HONED_API const char *honed_model_op_kernel(const honed_model *model, size_t index);

/* ---- Session ---- */

typedef struct honed_session honed_session;

typedef struct honed_session_options {
  size_t struct_size; /* sizeof(honed_session_options) */
  size_t num_threads; /* that one run may use, the caller's included; bounded by the engine's; 0: the engine's; 1: the caller's alone */
} honed_session_options;

/* Makes a session. Where all input shapes of the model are fixed, it is ready to run; else it needs honed_session_reshape first.
 * `options` is read during the call only; NULL: defaults. On success *out is owned by the caller (honed_session_delete). */
HONED_API honed_error *honed_session_new(const honed_model *model, const honed_session_options *options, honed_session **out);

HONED_API void honed_session_delete(honed_session *session);

/* Sets the shapes of all inputs and allocates all memory that a run needs. Does nothing where the shapes are what they were. After an
 * error the session runs at its previous shapes. */
HONED_API honed_error *honed_session_reshape(honed_session *session, const honed_shape *shapes, size_t num_inputs);

/* The shape of an output at the current input shapes. Fails where there are none yet, or no such output. */
HONED_API honed_error *honed_session_output_shape(const honed_session *session, size_t index, honed_shape *out);

typedef struct honed_input {
  const void *data;
  size_t bytes;
} honed_input;

typedef struct honed_output {
  void *data;
  size_t bytes;
} honed_output;

/* Runs the model. Inputs are read where they lie and outputs are written where they go: row-major, contiguous, aligned to their
 * elements, of exactly the size that their shape has, and outputs overlap nothing else. Allocates nothing. */
HONED_API honed_error *honed_session_run(honed_session *session, const honed_input *inputs, size_t num_inputs, const honed_output *outputs,
                                         size_t num_outputs);

/* Threads that a run may use, and bytes of activations and scratch at the current shapes. */
HONED_API size_t honed_session_num_threads(const honed_session *session);
HONED_API size_t honed_session_memory_bytes(const honed_session *session);

/* ---- Profile ---- */

/* Starts (enabled != 0, from zero) or stops the measurement of each operator's time. Off in a new session. */
HONED_API void honed_session_profile(honed_session *session, int enabled);

/* Since profiling was started: the runs, and the seconds that all runs spent in one operator. 0 where there is no such operator. */
HONED_API uint64_t honed_session_profile_runs(const honed_session *session);
HONED_API double honed_session_profile_seconds(const honed_session *session, size_t op);

/* The pieces into which an operator's work is split at the current shapes; 0 for a view, and where there are no shapes yet. */
HONED_API int64_t honed_session_op_tasks(const honed_session *session, size_t op);

#ifdef __cplusplus
}
#endif

#endif
