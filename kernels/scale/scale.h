/* scale_u8: a quantised tensor a, multiplied with real numbers b (the gates of squeeze-and-excite), quantised again. a and y planar or
 * dense, b f32: of a's shape, or dense [N or 1, C or 1, 1, 1] beside a planar a (elementwise/elementwise.h).
 *
 *   y = rint(clamp((a - zero_point) * (b * scale), clamp_lo - output_zero_point, clamp_hi - output_zero_point)) + output_zero_point
 *
 * scale = s_a / s_y; 0 <= clamp_lo <= clamp_hi <= 255. */
#ifndef HONED_SCALE_H
#define HONED_SCALE_H

#include "elementwise/elementwise.h"

typedef struct honed_scale_params {
  honed_elementwise base;
  float scale, lo, hi; /* the bounds less the output's zero point */
  int32_t zero_point, output_zero_point;
} honed_scale_params;

/* Of equal shapes, and with one b. */
enum { HONED_SCALE_KERNELS = 2 };
#define HONED_SCALE_VARIANT(isa, variant) extern const honed_span_kernel honed_scale_kernels__##variant[HONED_SCALE_KERNELS];
#include "kernels.inc"
#undef HONED_SCALE_VARIANT

#endif
