/* Walks: every element of a dense output in order, with the place of the matching element in each of up to three strided operands.
 *
 * Adjacent dimensions that all operands step through evenly are merged, and dimensions of 1 dropped, so that the innermost one, a
 * row, is as long as it can be. Units are elements. */
#ifndef HONED_ND_WALK_H
#define HONED_ND_WALK_H

#include "base/operator.h"

enum { HONED_ND_WALK_RANK = 2 * HONED_MAX_RANK, HONED_ND_OPERANDS = 3 };

typedef struct honed_nd_walk {
  int rank, operands; /* of the dimensions around the rows */
  int64_t dims[HONED_ND_WALK_RANK];
  int64_t strides[HONED_ND_OPERANDS][HONED_ND_WALK_RANK];
  int64_t rows, row_length;
  int64_t row_stride[HONED_ND_OPERANDS];       /* from one element of a row to the next */
  int64_t rows_per_task, pieces, piece_length; /* a task is some rows, or where rows are long a piece of one */
} honed_nd_walk;

/* `strides` has one array per operand; a stride may be 0 or negative. */
void honed_nd_walk_init(honed_nd_walk *walk, int rank, const int64_t *dims, int operands, const int64_t *const *strides);

int64_t honed_nd_walk_tasks(const honed_nd_walk *walk);

/* n elements of the output from `at` on; operand i's first lies at in[i], and the next ones row_stride[i] apart. */
typedef void (*honed_nd_row)(const void *context, const honed_nd_walk *walk, const int64_t *in, int64_t at, int64_t n);

/* Calls `row` for every row, or piece of one, of the tasks. */
void honed_nd_walk_run(const honed_nd_walk *walk, int64_t task_begin, int64_t task_end, honed_nd_row row, const void *context);

/* For reshape: output 0 gets the shape to which the first `operands` inputs broadcast; the plan is a walk over it, with its tasks. */
honed_status honed_nd_walk_broadcast(honed_call *call, int operands, honed_context *ctx);

#endif
