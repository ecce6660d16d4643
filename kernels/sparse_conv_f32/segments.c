#include "segments.h"

#include <stdlib.h>
#include <string.h>

/* While segments are made. */
typedef struct maker {
  const honed_conv_lists *lists;
  const honed_sparse_f32_plan *plan;
  int64_t *at;  /* [lists][chunks]: how many entries a list has in a chunk; then, where its next one goes */
  int64_t *row; /* [lists]: its first row in the scratch of sums */
  honed_sparse_run *runs;
  honed_sparse_segment *segments; /* NULL while they are counted */
} maker;

/* Entries [entry, end) of a list that lie in one chunk, whose first id is `first`. */
typedef struct stretch {
  int64_t chunk, first, entry, end;
} stretch;

/* Those that begin with `entry`. Ids come in ascending order, so that a chunk has one stretch of a list; nothing depends on it here. */
static stretch stretch_at(const maker *m, const honed_conv_list *l, int64_t entry) {
  const uint32_t columns = (uint32_t)m->plan->chunk_columns, chunk = (uint32_t)honed_conv_lists_id(m->lists, entry) / columns;
  stretch s = {chunk, (int64_t)chunk * columns, entry, entry + 1};
  const int64_t end = honed_conv_list_end(l), first = s.first;
  if (m->lists->wide_ids) {
    const int32_t *ids = m->lists->ids;
    while (s.end < end && (uint64_t)(ids[s.end] - first) < columns) s.end++;
  } else {
    const uint16_t *ids = m->lists->ids;
    while (s.end < end && (uint64_t)(ids[s.end] - first) < columns) s.end++;
  }
  return s;
}

static void count_entries(const maker *m) {
  int64_t row = 0;
  for (int64_t i = 0; i < m->lists->num_lists; i++) {
    const honed_conv_list *l = &m->lists->lists[i];
    for (stretch s = {.end = l->begin}; s.end < honed_conv_list_end(l);) {
      s = stretch_at(m, l, s.end);
      m->at[i * m->plan->chunks + s.chunk] += s.end - s.entry;
    }
    m->row[i] = row;
    row += l->size;
  }
}

/* Adds the segment of a list in a chunk, if there is one. done: how many of the list's entries lie in the chunks before. */
static void add_segment(const maker *m, int64_t list, int64_t chunk, int64_t *done, honed_sparse_run *end) {
  const honed_conv_list *l = &m->lists->lists[list];
  int64_t *at = &m->at[list * m->plan->chunks + chunk];
  const int64_t steps = *at, all = l->steps[HONED_SECTION_ALL];
  if (steps == 0 && (all > 0 || chunk > 0)) return;
  if (m->segments != NULL) {
    m->segments[end->segment] = (honed_sparse_segment){.list = (int32_t)list,
                                                       .row = (int32_t)m->row[list],
                                                       .steps = (uint32_t)steps & 0x3fffffff,
                                                       .first = *done == 0,
                                                       .last = *done + steps == all};
    *at = end->offset;
    *done += steps;
  }
  end->segment++;
  end->offset += steps;
  end->weight += steps * l->size;
}

/* Segments in their order; counts them where m->segments is NULL. done: [lists] zeros. */
static int64_t place_segments(const maker *m, int64_t *done) {
  const honed_sparse_f32_plan *plan = m->plan;
  honed_sparse_run end = {0, 0, 0}, *run = m->runs;
  for (int64_t part = 0; part < plan->parts; part++) {
    const int64_t list_end = honed_sparse_f32_part(plan, m->lists, part + 1);
    for (int64_t chunk = 0; chunk < plan->chunks; chunk++) {
      for (int size = 0; size < HONED_LIST_SIZES; size++) {
        *run++ = end;
        for (int64_t i = honed_sparse_f32_part(plan, m->lists, part); i < list_end; i++) {
          if (honed_sparse_size_class(m->lists->lists[i].size) == size) add_segment(m, i, chunk, &done[i], &end);
        }
      }
    }
  }
  *run = end;
  return end.segment;
}

static void copy_offsets(const honed_conv_lists *lists, const stretch *s, uint16_t column_bytes, uint16_t *out) {
  const int64_t count = s->end - s->entry;
  if (lists->wide_ids) {
    const int32_t *ids = (const int32_t *)lists->ids + s->entry;
    for (int64_t i = 0; i < count; i++) out[i] = (uint16_t)((ids[i] - s->first) * column_bytes);
  } else {
    const uint16_t *ids = (const uint16_t *)lists->ids + s->entry, first = (uint16_t)s->first;
    for (int64_t i = 0; i < count; i++) out[i] = (uint16_t)((uint16_t)(ids[i] - first) * column_bytes);
  }
}

static void copy_list(const maker *m, int64_t list, int64_t part, uint16_t *offsets, float *weights) {
  const honed_sparse_f32_plan *plan = m->plan;
  const honed_conv_list *l = &m->lists->lists[list];
  const float *w = (const float *)m->lists->weights + l->weights;
  const uint16_t column_bytes = (uint16_t)(plan->tile_pixels * (int64_t)sizeof(float));
  for (stretch s = {.end = l->begin}; s.end < honed_conv_list_end(l);) {
    s = stretch_at(m, l, s.end);
    const honed_sparse_run *run = &m->runs[(part * plan->chunks + s.chunk) * HONED_LIST_SIZES + honed_sparse_size_class(l->size)];
    int64_t *at = &m->at[list * plan->chunks + s.chunk];
    const int64_t count = s.end - s.entry;
    copy_offsets(m->lists, &s, column_bytes, offsets + *at);
    memcpy(weights + run->weight + (*at - run->offset) * l->size, w + (s.entry - l->begin) * l->size,
           (size_t)(count * l->size) * sizeof(float));
    *at += count;
  }
}

static honed_status make(maker *m, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx) {
  void *runs = NULL, *segments = NULL, *offsets = NULL, *weights = NULL;
  int64_t *done = m->row + m->lists->num_lists;
  honed_status status =
      honed_call_alloc(call, (size_t)(plan->parts * plan->chunks * HONED_LIST_SIZES + 1) * sizeof(honed_sparse_run), &runs, ctx);
  if (status != HONED_OK) return status;
  m->runs = runs;
  count_entries(m);
  const int64_t count = place_segments(m, done);
  const honed_sparse_run end = m->runs[plan->parts * plan->chunks * HONED_LIST_SIZES];
  status = honed_call_alloc(call, (size_t)count * sizeof(honed_sparse_segment), &segments, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)end.offset * sizeof(uint16_t), &offsets, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)end.weight * sizeof(float), &weights, ctx);
  if (status != HONED_OK) return status;
  m->segments = segments;
  place_segments(m, done);
  for (int64_t part = 0; part < plan->parts; part++) {
    const int64_t list_end = honed_sparse_f32_part(plan, m->lists, part + 1);
    for (int64_t i = honed_sparse_f32_part(plan, m->lists, part); i < list_end; i++) copy_list(m, i, part, offsets, weights);
  }
  plan->runs = runs;
  plan->segments = segments;
  plan->offsets = offsets;
  plan->weights = weights;
  return HONED_OK;
}

honed_status honed_sparse_segments_make(const honed_conv_lists *lists, honed_call *call, honed_sparse_f32_plan *plan, honed_context *ctx) {
  maker m = {.lists = lists, .plan = plan};
  m.at = calloc((size_t)(lists->num_lists * plan->chunks), sizeof *m.at);
  m.row = calloc((size_t)lists->num_lists * 2, sizeof *m.row);
  const honed_status status = m.at != NULL && m.row != NULL
                                  ? make(&m, call, plan, ctx)
                                  : honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld segments", (long long)lists->num_lists);
  free(m.at);
  free(m.row);
  return status;
}
