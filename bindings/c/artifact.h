/* A .honed file in memory, checked. */
#ifndef HONED_ARTIFACT_H
#define HONED_ARTIFACT_H

#include "artifact_format.h"
#include "base/cpu.h"
#include "base/status.h"
#include "thread_pool.h"

/* The sections of a file, used where they lie. */
typedef struct honed_artifact {
  honed_isa isa_floor;
  const char *strings; /* each string is ended by a zero byte, and so is the section */
  const honed_file_dim *dims;
  const honed_file_value *values;
  const uint32_t *inputs, *outputs; /* values */
  const honed_file_op *ops;
  const uint32_t *operands;
  const honed_file_attr *attrs;
  const honed_file_constant *constants;
  const char *data;
  uint32_t num_dims, num_values, num_inputs, num_outputs, num_ops, num_operands, num_attrs, num_constants;
  uint64_t strings_bytes, data_bytes;
} honed_artifact;

/* Checks header, sections and checksums (on the pool's threads) of the file at `bytes`, which is aligned to 64 bytes, and everything that
 * the records say (honed_artifact_validate). Keeps pointers into it. Fails with HONED_INVALID_ARTIFACT, or HONED_UNSUPPORTED for another
 * format version. */
honed_status honed_artifact_open(const void *bytes, uint64_t size, honed_thread_pool *pool, honed_artifact *out, honed_context *ctx);

/* Checks all records of an artifact whose sections are well-formed: afterwards every index is in range, every string is
 * terminated, every enumeration has a known value, all sizes are bounded, the data of constants has the size that their shape
 * says and lies within its section; operators read only what is defined before them, and no value is defined twice. What attributes and
 * constants mean is the operators' to check. */
honed_status honed_artifact_validate(const honed_artifact *a, honed_context *ctx);

#endif
