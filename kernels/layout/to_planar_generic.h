/* The loops of all variants, once: plain C that each variant compiles for its instruction set. A task is one plane of the output. */
#include <string.h>

#include "to_planar.h"

#define ELEMENT uint8_t
#define NAME(x) x##_u8
#include "to_planar_plane.h"
#undef ELEMENT
#undef NAME
#define ELEMENT float
#define NAME(x) x##_f32
#include "to_planar_plane.h"
#undef ELEMENT
#undef NAME

static inline void run_tasks(const honed_call *call, int64_t begin, int64_t end) {
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  for (int64_t plane = begin; plane < end; plane++) {
    if (y->dtype == HONED_U8) {
      run_plane_u8(call->params, x, y, plane, y->zero_point);
    } else {
      run_plane_f32(call->params, x, y, plane, 0.0f);
    }
  }
}
