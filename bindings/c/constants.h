/* The constants of a model: in the artifact, or expanded. */
#ifndef HONED_CONSTANTS_H
#define HONED_CONSTANTS_H

#include "artifact.h"
#include "base/memory.h"
#include "base/tensor.h"

/* The elements of each constant: they lie in the artifact, or, where they are packed there, in memory of `arena`, which also holds
 * the list. Aligned to 64 bytes. */
honed_status honed_constants_expand(const honed_artifact *a, honed_arena *arena, const void ***out, honed_context *ctx);

/* Constant `index` as a tensor over `elements`. */
honed_tensor honed_constant_tensor(const honed_artifact *a, uint32_t index, const void *elements);

#endif
