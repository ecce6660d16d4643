/* The loops of all variants, once: plain C that each variant compiles for its instruction set. A task is one row phase of a
 * channel. A variant may define SPLIT_IN_TWO_U8 and SPLIT_IN_TWO_F32 (row, width, pad, even, odd, count, room, fill), which split one row
 * of a convolution of stride 2 (`odd` NULL: not wanted) and may overwrite the rest of the planes, `room` elements, which is written later.
 */
#include <string.h>

#include "to_planar.h"

#define ELEMENT uint8_t
#define NAME(x) x##_u8
#ifdef SPLIT_IN_TWO_U8
#define NAME_SPLIT_IN_TWO SPLIT_IN_TWO_U8
#endif
#include "to_planar_plane.h"
#undef ELEMENT
#undef NAME
#undef NAME_SPLIT_IN_TWO
#define ELEMENT float
#define NAME(x) x##_f32
#ifdef SPLIT_IN_TWO_F32
#define NAME_SPLIT_IN_TWO SPLIT_IN_TWO_F32
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
