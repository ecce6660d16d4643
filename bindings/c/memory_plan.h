/* Where in one buffer each of many pieces of memory lies, given when each is in use: pieces that are never in use together may overlap. */
#ifndef HONED_MEMORY_PLAN_H
#define HONED_MEMORY_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct honed_piece {
  size_t bytes;
  uint32_t first, last; /* steps, both inclusive */
  size_t offset;        /* the result: a multiple of 64 */
} honed_piece;

/* Sets all offsets, and *total to the size of the buffer. Greedy by size: the largest piece first, each into the smallest gap between
 * those that it coexists with (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). */
honed_status honed_memory_plan(honed_piece *pieces, size_t count, size_t *total, honed_context *ctx);

#endif
