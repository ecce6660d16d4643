#include "segments.h"

#include <stdlib.h>

/* While segments are made. */
typedef struct maker {
  const honed_conv_lists *lists;
  const honed_sparse_f32_plan *plan;
  int64_t *at;  /* [lists][chunks]: how many entries a list has in a chunk; then, where its next one goes */
  int64_t *row; /* [lists]: its first row in the scratch of sums */
  honed_sparse_run *runs;
  honed_sparse_segment *segments; /* NULL while they are counted */
} maker;

/* The chunk of an id, most often that of the id before. */
typedef struct position {
  int64_t chunk, begin, end;
} position;

static inline void find_chunk(const maker *m, int64_t id, position *p) {
  if (id >= p->begin && id < p->end) return;
  p->chunk = id / m->plan->chunk_columns;
  p->begin = p->chunk * m->plan->chunk_columns;
  p->end = p->begin + m->plan->chunk_columns;
}

static void count_entries(const maker *m) {
  int64_t row = 0;
  for (int64_t i = 0; i < m->lists->num_lists; i++) {
    const honed_conv_list *l = &m->lists->lists[i];
    position p = {0, 0, 0};
    for (int64_t entry = l->begin; entry < l->end; entry++) {
      find_chunk(m, honed_conv_lists_id(m->lists, entry), &p);
      m->at[i * m->plan->chunks + p.chunk]++;
    }
    m->row[i] = row;
    row += l->size;
  }
}

/* Adds the segment of a list in a chunk, if there is one. done: how many of the list's entries lie in the chunks before. */
static void add_segment(const maker *m, int64_t list, int64_t chunk, int64_t *done, honed_sparse_run *end) {
  const honed_conv_list *l = &m->lists->lists[list];
  int64_t *at = &m->at[list * m->plan->chunks + chunk];
  const int64_t steps = *at, all = l->end - l->begin;
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

static void copy_list(const maker *m, int64_t list, int64_t part, uint16_t *offsets, float *weights) {
  const honed_sparse_f32_plan *plan = m->plan;
  const honed_conv_list *l = &m->lists->lists[list];
  const float *w = (const float *)m->lists->weights + l->weights;
  const int64_t column_bytes = plan->tile_pixels * (int64_t)sizeof(float);
  position p = {0, 0, 0};
  for (int64_t entry = l->begin; entry < l->end; entry++, w += l->size) {
    const int64_t id = honed_conv_lists_id(m->lists, entry);
    find_chunk(m, id, &p);
    const honed_sparse_run *run = &m->runs[(part * plan->chunks + p.chunk) * HONED_LIST_SIZES + honed_sparse_size_class(l->size)];
    const int64_t at = m->at[list * plan->chunks + p.chunk]++;
    offsets[at] = (uint16_t)((id - p.begin) * column_bytes);
    for (int r = 0; r < l->size; r++) weights[run->weight + (at - run->offset) * l->size + r] = w[r];
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
