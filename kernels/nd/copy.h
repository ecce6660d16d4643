/* Dense outputs that are a strided view of the input, copied: what transpose, slice, split, expand, tile, depth_to_space and
 * space_to_depth have in common. */
#ifndef HONED_ND_COPY_H
#define HONED_ND_COPY_H

#include "base/operator.h"

/* For reshape: adds a copy to output `index`, whose element (i0, i1, ...) is element `start` + Σ i·stride of input 0. The output's
 * shape is set before, and has the same elements in the same order as `dims`. Call it for all outputs in order; it sets the call's kernel,
 * tasks and plan. `rank` is at most twice HONED_MAX_RANK. */
honed_status honed_nd_copy_add(honed_call *call, int index, int rank, const int64_t *dims, const int64_t *strides, int64_t start,
                               honed_context *ctx);

#endif
