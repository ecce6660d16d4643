#include "memory_plan.h"

#include <stdbool.h>
#include <stdlib.h>

enum { alignment = 64 };

static int larger_first(const void *a, const void *b) {
  const honed_piece *x = *(honed_piece *const *)a, *y = *(honed_piece *const *)b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  return x < y ? -1 : x > y; /* a total order: the same plan everywhere */
}

static bool coexist(const honed_piece *a, const honed_piece *b) { return a->first <= b->last && b->first <= a->last; }

/* The start of the smallest gap that `piece` fits into; behind the others where there is none. `placed` are sorted by offset. */
static size_t best_offset(const honed_piece *piece, honed_piece *const *placed, size_t num_placed) {
  size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
  for (size_t i = 0; i < num_placed; i++) {
    const honed_piece *other = placed[i];
    if (!coexist(piece, other)) continue;
    if (other->offset > end && other->offset - end >= piece->bytes && other->offset - end < best_gap) {
      best = end;
      best_gap = other->offset - end;
    }
    if (other->offset + other->bytes > end) end = other->offset + other->bytes;
  }
  return best == SIZE_MAX ? end : best;
}

static void insert_by_offset(honed_piece **placed, size_t num_placed, honed_piece *piece) {
  size_t i = num_placed;
  for (; i > 0 && placed[i - 1]->offset > piece->offset; i--) placed[i] = placed[i - 1];
  placed[i] = piece;
}

/* Rounds sizes up to the alignment. Returns false where their sum, which bounds every offset, exceeds the address space. */
static bool round_sizes(honed_piece *pieces, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    if (pieces[i].bytes > PTRDIFF_MAX - alignment) return false;
    pieces[i].bytes = (pieces[i].bytes + alignment - 1) / alignment * alignment;
    if (__builtin_add_overflow(sum, pieces[i].bytes, &sum) || sum > PTRDIFF_MAX) return false;
  }
  return true;
}

honed_status honed_memory_plan(honed_piece *pieces, size_t count, size_t *total, honed_context *ctx) {
  if (!round_sizes(pieces, count)) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "tensors exceed the address space");
  honed_piece **order = malloc((2 * count + 1) * sizeof *order);
  if (order == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory to plan %zu tensors", count);
  honed_piece **placed = order + count;
  for (size_t i = 0; i < count; i++) order[i] = &pieces[i];
  if (count > 0) qsort(order, count, sizeof *order, larger_first);
  *total = 0;
  for (size_t i = 0; i < count; i++) {
    honed_piece *piece = order[i];
    piece->offset = best_offset(piece, placed, i);
    insert_by_offset(placed, i, piece);
    if (piece->offset + piece->bytes > *total) *total = piece->offset + piece->bytes;
  }
  free(order);
  return HONED_OK;
}
