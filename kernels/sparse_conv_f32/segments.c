#include "segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/integers.h"

/* While segments are made. */
typedef struct maker {
  const honed_conv_lists *lists;
  const honed_sparse_f32_plan *plan;
  const int32_t *cuts; /* [lists][chunks]: behind a list's last entry in a chunk */
  const int32_t *row;  /* [lists]: its first row in the scratch of sums */
  honed_sparse_segment *segments;
  uint16_t *offsets;
  float *weights;
} maker;

/* How much all segments take. */
typedef struct extent {
  int64_t segments, offsets, weights;
  bool has_size[HONED_LIST_SIZES];
} extent;

/* The first of the ascending ids [entry, end) above `last`, or end: several at a time, without branches, for vectors. */
#define FIRST_ABOVE(name, type)                                                           \
  static int64_t name(const type *ids, int64_t entry, int64_t end, type last) {           \
    enum { at_once = 16 };                                                                \
    for (; entry + at_once <= end; entry += at_once) {                                    \
      type below = 0;                                                                     \
      for (int i = 0; i < at_once; i++) below = (type)(below + (ids[entry + i] <= last)); \
      if (below < at_once) return entry + below;                                          \
    }                                                                                     \
    while (entry < end && ids[entry] <= last) entry++;                                    \
    return entry;                                                                         \
  }
FIRST_ABOVE(first_above_wide, int32_t)
FIRST_ABOVE(first_above_narrow, uint16_t)
#undef FIRST_ABOVE

/* The chunk of the last cut ends with the last column: all that is left is in it. */
static void cut_list(const honed_conv_lists *lists, const honed_conv_list *l, int64_t chunks, int64_t columns, int32_t *cuts) {
  const int64_t end = honed_conv_list_end(l);
  int64_t entry = l->begin;
  for (int64_t chunk = 0; chunk + 1 < chunks; chunk++) {
    const int64_t last = (chunk + 1) * columns - 1;
    entry = lists->wide_ids ? first_above_wide(lists->ids, entry, end, (int32_t)last)
                            : first_above_narrow(lists->ids, entry, end, (uint16_t)last);
    cuts[chunk] = (int32_t)entry;
  }
  cuts[chunks - 1] = (int32_t)end;
}

static void copy_offsets(const honed_conv_lists *lists, int64_t entry, int64_t count, int64_t first, uint16_t column_bytes, uint16_t *out) {
  if (lists->wide_ids) {
    const int32_t *ids = (const int32_t *)lists->ids + entry;
    for (int64_t i = 0; i < count; i++) out[i] = (uint16_t)((ids[i] - first) * column_bytes);
  } else {
    const uint16_t *ids = (const uint16_t *)lists->ids + entry;
    for (int64_t i = 0; i < count; i++) out[i] = (uint16_t)((uint16_t)(ids[i] - (uint16_t)first) * column_bytes);
  }
}

/* Adds the segment of a list in a chunk, if there is one. */
static void add_segment(const maker *m, int64_t list, int64_t chunk, honed_sparse_run *end) {
  const honed_sparse_f32_plan *plan = m->plan;
  const honed_conv_list *l = &m->lists->lists[list];
  const int32_t *cut = &m->cuts[list * plan->chunks + chunk];
  const int64_t entry = chunk == 0 ? l->begin : cut[-1], steps = *cut - entry;
  if (steps == 0 && (l->steps[HONED_SECTION_ALL] > 0 || chunk > 0)) return;
  m->segments[end->segment] = (honed_sparse_segment){.list = (int32_t)list,
                                                     .row = m->row[list],
                                                     .steps = (uint32_t)steps & 0x3fffffff,
                                                     .first = entry == l->begin,
                                                     .last = *cut == honed_conv_list_end(l)};
  const uint16_t column_bytes = (uint16_t)(plan->tile_pixels * (int64_t)sizeof(float));
  copy_offsets(m->lists, entry, steps, chunk * plan->chunk_columns, column_bytes, m->offsets + end->offset);
  const float *weights = (const float *)m->lists->weights + l->weights + (entry - l->begin) * l->size;
  memcpy(m->weights + end->weight, weights, (size_t)(steps * l->size) * sizeof *weights);
  end->segment++;
  end->offset += steps;
  end->weight += steps * l->size;
}

/* Segments in their order. */
static void place_segments(const maker *m, const extent *e, honed_sparse_run *run) {
  const honed_sparse_f32_plan *plan = m->plan;
  honed_sparse_run end = {0, 0, 0};
  for (int64_t part = 0; part < plan->parts; part++) {
    const int64_t list = honed_sparse_f32_part(plan, m->lists, part), list_end = honed_sparse_f32_part(plan, m->lists, part + 1);
    for (int64_t chunk = 0; chunk < plan->chunks; chunk++) {
      for (int size = 0; size < HONED_LIST_SIZES; size++) {
        *run++ = end;
        for (int64_t i = list; i < list_end && e->has_size[size]; i++) {
          if (honed_sparse_size_class(m->lists->lists[i].size) == size) add_segment(m, i, chunk, &end);
        }
      }
    }
  }
  *run = end;
}

/* A list has no more segments than entries; one without entries has one. */
static extent cut_lists(const honed_conv_lists *lists, const honed_sparse_f32_plan *plan, int32_t *cuts, int32_t *row) {
  extent e = {0};
  int32_t rows = 0;
  for (int64_t i = 0; i < lists->num_lists; i++) {
    const honed_conv_list *l = &lists->lists[i];
    const int64_t entries = l->steps[HONED_SECTION_ALL];
    cut_list(lists, l, plan->chunks, plan->chunk_columns, cuts + i * plan->chunks);
    row[i] = rows;
    rows += l->size;
    e.segments += honed_larger(honed_smaller(entries, plan->chunks), 1);
    e.offsets += entries;
    e.weights += entries * l->size;
    e.has_size[honed_sparse_size_class(l->size)] = true;
  }
  return e;
}

static honed_status make(const honed_conv_lists *lists, int32_t *cuts, int32_t *row, honed_call *call, honed_sparse_f32_plan *plan,
                         honed_context *ctx) {
  const extent e = cut_lists(lists, plan, cuts, row);
  const size_t num_runs = (size_t)(plan->parts * plan->chunks * HONED_LIST_SIZES + 1);
  void *runs = NULL, *segments = NULL, *offsets = NULL, *weights = NULL;
  honed_status status = honed_call_alloc(call, num_runs * sizeof(honed_sparse_run), &runs, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)e.segments * sizeof(honed_sparse_segment), &segments, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)e.offsets * sizeof(uint16_t), &offsets, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)e.weights * sizeof(float), &weights, ctx);
  if (status != HONED_OK) return status;
  const maker m = {lists, plan, cuts, row, segments, offsets, weights};
  place_segments(&m, &e, runs);
  plan->runs = runs;
  plan->segments = segments;
  plan->offsets = offsets;
  plan->weights = weights;
  return HONED_OK;
}

honed_status honed_sparse_segments_make(const honed_conv_lists *lists, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx) {
  int32_t *cuts = malloc((size_t)(lists->num_lists * plan->chunks) * sizeof *cuts);
  int32_t *row = malloc((size_t)lists->num_lists * sizeof *row);
  const honed_status status = cuts != NULL && row != NULL
                                  ? make(lists, cuts, row, call, plan, ctx)
                                  : honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld segments", (long long)lists->num_lists);
  free(cuts);
  free(row);
  return status;
}
