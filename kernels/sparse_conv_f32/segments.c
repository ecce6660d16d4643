#include "segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/integers.h"

/* While segments are made. */
typedef struct maker {
  const honed_conv_lists *lists;
  const honed_sparse_f32_plan *plan;
  int32_t *cuts; /* [lists][chunks]: behind a list's last entry in a chunk */
  /* [parts][chunks][HONED_LIST_SIZES]: of the plan's runs, one on. First how much each run has, then where its next segment goes, and
   * so in the end where the next run begins. */
  honed_sparse_run *next;
  honed_sparse_segment *segments;
  uint16_t *offsets;
  float *weights;
} maker;

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

static honed_sparse_run *run_of(const maker *m, int64_t part, int64_t chunk, const honed_conv_list *l) {
  return &m->next[(part * m->plan->chunks + chunk) * HONED_LIST_SIZES + honed_sparse_size_class(l->size)];
}

/* A list's entries in a chunk. */
typedef struct entries {
  int64_t begin, count;
  bool none; /* no segment, which a list without entries has in the first chunk */
} entries;

static entries entries_of(const maker *m, int64_t list, int64_t chunk) {
  const honed_conv_list *l = &m->lists->lists[list];
  const int32_t *cut = &m->cuts[list * m->plan->chunks + chunk];
  const int64_t begin = chunk == 0 ? l->begin : cut[-1], count = *cut - begin;
  return (entries){begin, count, count == 0 && (l->steps[HONED_SECTION_ALL] > 0 || chunk > 0)};
}

static void count_segments(const maker *m, int64_t list, int64_t part) {
  const honed_conv_list *l = &m->lists->lists[list];
  for (int64_t chunk = 0; chunk < m->plan->chunks; chunk++) {
    const entries e = entries_of(m, list, chunk);
    honed_sparse_run *run = run_of(m, part, chunk, l);
    run->segment += !e.none;
    run->offset += e.count;
    run->weight += e.count * l->size;
  }
}

static void add_segment(const maker *m, int64_t list, int64_t chunk, entries e, int32_t row, honed_sparse_run *end) {
  const honed_conv_list *l = &m->lists->lists[list];
  m->segments[end->segment++] = (honed_sparse_segment){.list = (int32_t)list,
                                                       .row = row,
                                                       .steps = (uint32_t)e.count & 0x3fffffff,
                                                       .first = e.begin == l->begin,
                                                       .last = e.begin + e.count == honed_conv_list_end(l)};
  const uint16_t column_bytes = (uint16_t)(m->plan->tile_pixels * (int64_t)sizeof(float));
  copy_offsets(m->lists, e.begin, e.count, chunk * m->plan->chunk_columns, column_bytes, m->offsets + end->offset);
  const float *weights = (const float *)m->lists->weights + l->weights + (e.begin - l->begin) * l->size;
  memcpy(m->weights + end->weight, weights, (size_t)(e.count * l->size) * sizeof *weights);
  end->offset += e.count;
  end->weight += e.count * l->size;
}

/* List by list, since weights are read from farther away than segments are written to. */
static void place_segments(const maker *m) {
  int32_t row = 0;
  for (int64_t part = 0; part < m->plan->parts; part++) {
    const int64_t list_end = honed_sparse_f32_part(m->plan, m->lists, part + 1);
    for (int64_t list = honed_sparse_f32_part(m->plan, m->lists, part); list < list_end; list++) {
      const honed_conv_list *l = &m->lists->lists[list];
      for (int64_t chunk = 0; chunk < m->plan->chunks; chunk++) {
        const entries e = entries_of(m, list, chunk);
        if (!e.none) add_segment(m, list, chunk, e, row, run_of(m, part, chunk, l));
      }
      row += l->size;
    }
  }
}

/* Where each run's first segment goes, from how much each has; returns how much all have. */
static honed_sparse_run begin_runs(honed_sparse_run *runs, size_t num_runs) {
  honed_sparse_run end = {0, 0, 0};
  for (size_t i = 0; i < num_runs; i++) {
    const honed_sparse_run has = runs[i];
    runs[i] = end;
    end.segment += has.segment;
    end.offset += has.offset;
    end.weight += has.weight;
  }
  return end;
}

static honed_sparse_run cut_lists(const maker *m, size_t num_runs) {
  const honed_sparse_f32_plan *plan = m->plan;
  for (int64_t part = 0; part < plan->parts; part++) {
    const int64_t list_end = honed_sparse_f32_part(plan, m->lists, part + 1);
    for (int64_t list = honed_sparse_f32_part(plan, m->lists, part); list < list_end; list++) {
      cut_list(m->lists, &m->lists->lists[list], plan->chunks, plan->chunk_columns, m->cuts + list * plan->chunks);
      count_segments(m, list, part);
    }
  }
  return begin_runs(m->next, num_runs);
}

static honed_status make(const honed_conv_lists *lists, int32_t *cuts, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx) {
  const size_t num_runs = (size_t)(plan->parts * plan->chunks * HONED_LIST_SIZES);
  void *runs = NULL, *segments = NULL, *offsets = NULL, *weights = NULL;
  honed_status status = honed_call_alloc(call, (num_runs + 1) * sizeof(honed_sparse_run), &runs, ctx);
  if (status != HONED_OK) return status;
  memset(runs, 0, (num_runs + 1) * sizeof(honed_sparse_run));
  maker m = {.lists = lists, .plan = plan, .cuts = cuts, .next = (honed_sparse_run *)runs + 1};
  const honed_sparse_run all = cut_lists(&m, num_runs);
  status = honed_call_alloc(call, (size_t)all.segment * sizeof(honed_sparse_segment), &segments, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)all.offset * sizeof(uint16_t), &offsets, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)all.weight * sizeof(float), &weights, ctx);
  if (status != HONED_OK) return status;
  m.segments = segments;
  m.offsets = offsets;
  m.weights = weights;
  place_segments(&m);
  plan->runs = runs;
  plan->segments = segments;
  plan->offsets = offsets;
  plan->weights = weights;
  return HONED_OK;
}

honed_status honed_sparse_segments_make(const honed_conv_lists *lists, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx) {
  int32_t *cuts = malloc((size_t)(lists->num_lists * plan->chunks) * sizeof *cuts);
  if (cuts == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld segments", (long long)lists->num_lists);
  const honed_status status = make(lists, cuts, call, plan, ctx);
  free(cuts);
  return status;
}
