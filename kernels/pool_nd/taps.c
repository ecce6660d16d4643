#include <math.h>

#include "pool_nd.h"

/* Steps over all axes but the last; false behind the last position. */
static bool next(const honed_taps *t, int64_t *index, int64_t *at) {
  for (int i = t->rank - 2; i >= 0; i--) {
    *at += t->steps[i];
    if (++index[i] < t->taps[i]) return true;
    *at -= t->taps[i] * t->steps[i];
    index[i] = 0;
  }
  return false;
}

#define MAX_OF(name, type, least)                                            \
  static int64_t name(const honed_taps *t, const void *plane, void *y) {     \
    const int64_t taps = t->taps[t->rank - 1], step = t->steps[t->rank - 1]; \
    int64_t index[HONED_POOL_ND_RANK] = {0}, at = t->start, place = at;      \
    type best = (least);                                                     \
    if (t->count > 0) {                                                      \
      do {                                                                   \
        for (int64_t i = 0; i < taps; i++) {                                 \
          const type v = ((const type *)plane)[at + i * step];               \
          if (v > best) best = v, place = at + i * step;                     \
        }                                                                    \
      } while (next(t, index, &at));                                         \
    }                                                                        \
    *(type *)y = best;                                                       \
    return place;                                                            \
  }
MAX_OF(max_f32, float, -INFINITY)
MAX_OF(max_u8, uint8_t, 0)
MAX_OF(max_s8, int8_t, INT8_MIN)
#undef MAX_OF

honed_max_function honed_max_function_of(honed_dtype dtype) {
  switch (dtype) {
    case HONED_F32: return max_f32;
    case HONED_U8: return max_u8;
    case HONED_S8: return max_s8;
    default: return NULL;
  }
}

double honed_taps_sum(const honed_taps *t, const float *plane) {
  const int64_t taps = t->taps[t->rank - 1], step = t->steps[t->rank - 1];
  int64_t index[HONED_POOL_ND_RANK] = {0}, at = t->start;
  double sum = 0;
  if (t->count > 0) {
    do {
      for (int64_t i = 0; i < taps; i++) sum += (double)plane[at + i * step];
    } while (next(t, index, &at));
  }
  return sum;
}
