/* Operators whose every output element is a function of the input elements at the same place: how they are shaped and run.
 *
 * A family gives one function, a span, that computes n consecutive elements; this driver finds the spans. Tensors may be dense
 * (any rank) or planar in any mixture, with gaps of their own. Whole runs of planes are one span where all tensors have the same
 * strides (the gaps are then computed like pixels, and overwritten with `fill`), the rows of a block where row strides are the same, single
 * rows otherwise. */
#ifndef HONED_ELEMENTWISE_H
#define HONED_ELEMENTWISE_H

#include <stdint.h>

#include "base/operator.h"

/* out[i] = f(in[0][i], in[1][i]) for 0 <= i < n, or f(in[0][i], in[1][0]) where the family says that in[1] is one element.
 * `params` is what the family's create made. Reads and writes nothing but these elements. `out` may be an input. */
typedef void (*honed_span)(const void *params, const void *const *in, void *out, int64_t n);

typedef struct honed_span_kernel {
  const char *name;
  honed_span span;
} honed_span_kernel;

/* The beginning of every elementwise family's params. */
typedef struct honed_elementwise {
  honed_span_kernel kernel;
  honed_span_kernel broadcast; /* for an input 1 of one element per plane, or one in all; span NULL: not supported */
} honed_elementwise;

/* One row of a family's kernels.inc: what a kernel needs, and the kernels for the family's functions. */
typedef struct honed_span_table {
  honed_isa isa;
  const honed_span_kernel *kernels;
} honed_span_table;

/* The kernels of the first row that `isa` can run. The last row needs nothing. */
const honed_span_kernel *honed_span_select(const honed_span_table *table, honed_isa isa);

/* reshape: all inputs and the output have the shape of input 0; rank 4 where any of them is planar. With a broadcast kernel, input
 * 1 may instead be dense [N or 1, C or 1, 1, 1] beside a planar input 0. */
honed_status honed_elementwise_reshape(honed_call *call, honed_context *ctx);
const char *honed_elementwise_name(const void *params);

#endif
