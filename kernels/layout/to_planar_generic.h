/* The loops of all variants, once: plain C that each variant compiles for its instruction set. A task is one row phase of a
 * channel. A variant may define SPLIT_ROWS_IN_TWO_U8 and SPLIT_ROWS_IN_TWO_F32 (row, step, rows, width, pad, even, odd, count, room, fill)
 * for convolutions of stride 2: of `rows` rows, `step` elements apart, each behind `pad` elements of fill, the elements of even places to
 * `even` and those of odd places to `odd` (NULL: not wanted), `count` of each row, row after row. The planes have `room` elements from
 * `even` and `odd` on; what lies behind the last row may be overwritten: it is fill, and written again. */
#include <string.h>

#include "base/integers.h"
#include "to_planar.h"

#define ELEMENT uint8_t
#define NAME(x) x##_u8
#ifdef SPLIT_ROWS_IN_TWO_U8
#define NAME_SPLIT_ROWS_IN_TWO SPLIT_ROWS_IN_TWO_U8
#endif
#include "to_planar_plane.h"
#undef ELEMENT
#undef NAME
#undef NAME_SPLIT_ROWS_IN_TWO
#define ELEMENT float
#define NAME(x) x##_f32
#ifdef SPLIT_ROWS_IN_TWO_F32
#define NAME_SPLIT_ROWS_IN_TWO SPLIT_ROWS_IN_TWO_F32
#endif
#include "to_planar_plane.h"
#undef ELEMENT
#undef NAME

static inline void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  if (y->dtype == HONED_U8) {
    run_tasks_u8(call->params, x, y, begin, end, y->zero_point);
  } else {
    run_tasks_f32(call->params, x, y, begin, end, 0.0f);
  }
}
