/* A loaded model: the artifact's records, resolved, and the operators, created. Immutable; shared by sessions. */
#ifndef HONED_MODEL_H
#define HONED_MODEL_H

#include "artifact.h"
#include "base/memory.h"
#include "base/operator.h"
#include "engine.h"
#include "file_map.h"
#include "honed.h"

/* An input or output of the graph. */
struct honed_value {
  const char *name;
  const honed_tensor *tensor;
  uint32_t index; /* of the value */
  honed_shape shape;
  const char *symbols[HONED_MAX_DIMS];
};

typedef struct honed_model_op {
  const honed_op_type *type;
  void *params; /* NULL until it is created */
  const char *name;
  const uint32_t *inputs, *outputs; /* values; HONED_FILE_NONE: left out */
  uint32_t num_inputs, num_outputs;
} honed_model_op;

struct honed_model {
  _Atomic size_t references; /* the caller's, and one per session */
  honed_engine *engine;
  honed_file_map map; /* where the artifact is a file */
  honed_arena memory; /* everything below, and the artifact's bytes where they were copied */
  honed_artifact artifact;
  const void **constants; /* the elements of each */
  honed_tensor *tensors;  /* one per value: what is known of it; of a constant, everything */
  honed_value *inputs, *outputs;
  honed_model_op *ops;
  uint32_t num_created; /* operators before this one have been created */
};

/* One more reference, which honed_model_delete gives back. */
honed_model *honed_model_retain(const honed_model *model);

/* Makes all that the model derives from its artifact. On failure the model is half-made, and honed_model_delete frees it. */
honed_error *honed_model_build(honed_model *model);

#endif
