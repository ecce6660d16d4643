#include <string.h>

#include "resize.h"

/* to[x] = from[columns[x]]; with `repeat` 1 or 2 no table is needed. */
#define NEAREST_ROW(name, type)                                                                                           \
  static void name(type *restrict to, const type *restrict from, const int32_t *columns, int64_t repeat, int64_t width) { \
    if (repeat == 2) {                                                                                                    \
      for (int64_t x = 0; x < width / 2; x++) to[2 * x] = to[2 * x + 1] = from[x];                                        \
    } else if (repeat == 1) {                                                                                             \
      memcpy(to, from, (size_t)width * sizeof *to);                                                                       \
    } else {                                                                                                              \
      for (int64_t x = 0; x < width; x++) to[x] = from[columns[x]];                                                       \
    }                                                                                                                     \
  }

NEAREST_ROW(nearest_row_1, uint8_t)
NEAREST_ROW(nearest_row_4, uint32_t)

static void nearest_row(char *to, const char *from, const honed_resize_plan *plan, int64_t element, int64_t width) {
  if (element == 1) {
    nearest_row_1((uint8_t *)to, (const uint8_t *)from, plan->columns.near, plan->repeat, width);
  } else {
    nearest_row_4((uint32_t *)(void *)to, (const uint32_t *)(const void *)from, plan->columns.near, plan->repeat, width);
  }
}

void honed_resize_nearest(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_resize_plan *plan = call->plan;
  const honed_tensor *out = call->outputs[0];
  const honed_planes x = honed_planes_of(call->inputs[0]), y = honed_planes_of(out);
  for (int64_t task = begin; task < end; task++) {
    const honed_block block = honed_block_at(&plan->blocks, out->dims[2], task);
    const char *from = x.data + block.plane * x.plane_bytes;
    char *to = y.data + block.plane * y.plane_bytes;
    for (int64_t row = block.row_begin; row < block.row_end; row++) {
      char *at = to + row * y.row_bytes;
      if (row > block.row_begin && plan->rows.near[row] == plan->rows.near[row - 1]) {
        memcpy(at, at - y.row_bytes, (size_t)(out->dims[3] * y.element_bytes));
      } else {
        nearest_row(at, from + plan->rows.near[row] * x.row_bytes, plan, y.element_bytes, out->dims[3]);
      }
    }
    honed_planar_fill_gaps(out, to, block.row_begin, block.row_end);
  }
}
