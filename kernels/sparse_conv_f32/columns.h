/* How columns get into scratch: [columns of a chunk][pixels of the widest tile]. */
#ifndef HONED_SPARSE_CONV_F32_COLUMNS_H
#define HONED_SPARSE_CONV_F32_COLUMNS_H

enum { CHANNELS_AHEAD_OF_1 = 6, CHANNELS_AHEAD = 1 };

/* What the taps of a channel read: planes lie too far apart for a processor to guess what is read next. */
ALWAYS void prefetch_channel(const operands *o, int64_t id, int64_t taps) {
  const int32_t *of_tap = o->plan->of_tap + id;
  const uintptr_t in = (uintptr_t)(o->x + of_tap[0] + o->pixel);
  const int64_t pixels = of_tap[taps - 1] - of_tap[0] + o->units * HONED_UNIT;
  for (int64_t i = 0; i < pixels; i += 16) __builtin_prefetch((const void *)(in + (uintptr_t)i * sizeof(float)));
}

/* The columns of a chunk over the task's tile, in whole vectors though the tile may end within one. */
ALWAYS void copy_columns(const operands *o, int64_t begin, int64_t end, int vectors, bool masked) {
  const honed_sparse_f32_plan *plan = o->plan;
  const int64_t kernel_w = o->p->conv.kernel_w, taps = honed_conv_taps(&o->p->conv);
  const int64_t ahead = taps * (taps == 1 ? CHANNELS_AHEAD_OF_1 : CHANNELS_AHEAD);
  const bool fetch = o->p->conv.phases_h * o->p->conv.phases_w == 1;
  float *out = o->columns;
  for (int64_t id = begin, kx = begin % kernel_w, tap = begin % taps; id < end; id++, out += plan->tile_pixels) {
    const float *in = o->x + plan->of_tap[id] + o->pixel;
    const uint16_t *reach = masked ? (const uint16_t *)(plan->reach + kx * plan->words) + o->pixel / 16 : NULL;
    if (fetch && tap == 0 && id + ahead + taps <= plan->columns) prefetch_channel(o, id + ahead, taps);
    HONED_UNROLL12(
        v, if (v < vectors) {
          floats pixels = floats_load(in + v * FLOATS);
          if (masked) pixels = floats_keep((uint64_t)reach[v * FLOATS / 16] >> (v * FLOATS % 16), pixels);
          floats_store(out + v * FLOATS, pixels);
        })
    kx = kx + 1 == kernel_w ? 0 : kx + 1;
    tap = tap + 1 == taps ? 0 : tap + 1;
  }
}

#define COPY(vectors)                                                                                           \
  static __attribute__((noinline)) void copy_columns_##vectors(const operands *o, int64_t begin, int64_t end) { \
    if (o->plan->reach == NULL) {                                                                               \
      copy_columns(o, begin, end, vectors, false);                                                              \
    } else {                                                                                                    \
      copy_columns(o, begin, end, vectors, true);                                                               \
    }                                                                                                           \
  }
COPY(1)
COPY(2)
COPY(3)
COPY(4)
COPY(5)
COPY(6)
COPY(7)
COPY(8)
COPY(9)
COPY(10)
#undef COPY

static void copy_chunk(const operands *o, int64_t chunk) {
  typedef void copy_function(const operands *o, int64_t begin, int64_t end);
  static copy_function *const of_vectors[] = {NULL,           copy_columns_1, copy_columns_2, copy_columns_3,
                                              copy_columns_4, copy_columns_5, copy_columns_6, copy_columns_7,
                                              copy_columns_8, copy_columns_9, copy_columns_10};
  const int64_t begin = chunk * o->plan->chunk_columns, end = begin + o->plan->chunk_columns;
  of_vectors[(o->units * HONED_UNIT + FLOATS - 1) / FLOATS](o, begin, end < o->plan->columns ? end : o->plan->columns);
}

#endif
