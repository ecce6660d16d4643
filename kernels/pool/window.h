/* The windows of a pooling along one axis. */
#ifndef HONED_POOL_WINDOW_H
#define HONED_POOL_WINDOW_H

#include "base/operator.h"

/* With these bounds no sum over a 2-D window of u8 leaves s32, and no product of attributes leaves s64. */
enum { HONED_WINDOW_MAX_KERNEL = 2048, HONED_WINDOW_MAX_STEP = 1 << 15 };

typedef struct honed_window {
  int64_t kernel, stride, dilation, pad_begin, pad_end;
  bool ceil;
} honed_window;

/* kernel_h, stride_h, ..., pad_top, pad_bottom, ceil_mode for axis 'h'; kernel_w, ..., pad_left, pad_right for 'w'. */
honed_status honed_window_read(const honed_op_spec *spec, char axis, honed_window *out, honed_context *ctx);

/* The number of windows over `size` pixels; fails where not even one fits, or where there are no pixels. */
honed_status honed_window_count(const honed_window *w, int64_t size, int64_t *out, honed_context *ctx);

/* The taps [*first, *first + *taps) of window `index` whose positions lie in [lo, hi); none: *taps is 0. */
static inline void honed_window_clip(const honed_window *w, int64_t index, int64_t lo, int64_t hi, int64_t *first, int64_t *taps) {
  const int64_t start = index * w->stride - w->pad_begin;
  const int64_t begin = start >= lo ? 0 : (lo - start + w->dilation - 1) / w->dilation;
  const int64_t behind = start >= hi ? 0 : (hi - start + w->dilation - 1) / w->dilation;
  const int64_t end = behind < w->kernel ? behind : w->kernel;
  *first = begin;
  *taps = end > begin ? end - begin : 0;
}

/* The distance of the last tap from the first. */
static inline int64_t honed_window_reach(const honed_window *w) { return (w->kernel - 1) * w->dilation; }

#endif
