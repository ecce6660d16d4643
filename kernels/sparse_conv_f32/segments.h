/* Cuts the lists of a sparse float convolution into segments, in the order in which they are read (plan.h). */
#ifndef HONED_SPARSE_CONV_F32_SEGMENTS_H
#define HONED_SPARSE_CONV_F32_SEGMENTS_H

#include "plan.h"

/* Sets the plan's runs, segments, offsets and weights from its tiles, chunks and parts. The segments of a list come in order of their
 * chunks; a list without entries has one. */
honed_status honed_sparse_segments_make(const honed_conv_lists *lists, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx);

/* Which of HONED_LIST_SIZES. */
static inline int honed_sparse_size_class(int size) { return size / 2; }

#endif
