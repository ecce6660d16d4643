/* Between floats and integers, element by element; dense or planar on either side (elementwise/elementwise.h).
 *
 *   quantize     f32 -> u8 or s8            y = clamp(rint(x / scale) + zero_point); rint: ties to even; NaN: the lowest integer
 *   dequantize   u8, s8 or s32 -> f32       y = (float)(x - zero_point) * scale; s32: zero_point is 0
 *
 * The division is a division, as ONNX has it: a product with the reciprocal rounds differently. */
#ifndef HONED_QUANTIZE_H
#define HONED_QUANTIZE_H

#include "elementwise/elementwise.h"

typedef struct honed_quantize_params {
  honed_elementwise base;
  float scale;
  int32_t zero_point;
  float lo, hi; /* quantize: the integer range less zero_point */
} honed_quantize_params;

enum { HONED_QUANTIZE, HONED_DEQUANTIZE_U8, HONED_DEQUANTIZE_S8, HONED_DEQUANTIZE_S32, HONED_QUANTIZE_FUNCTIONS };

#define HONED_QUANTIZE_VARIANT(isa, variant) extern const honed_span_kernel honed_quantize_kernels__##variant[HONED_QUANTIZE_FUNCTIONS];
#include "kernels.inc"
#undef HONED_QUANTIZE_VARIANT

#endif
