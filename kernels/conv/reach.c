#include "reach.h"

#include <string.h>

#include "base/integers.h"

static void fill_reach(const honed_conv *conv, const honed_tensor *x, const honed_tensor *y, int64_t kx, uint64_t *out) {
  const int64_t shift = kx * conv->dilation_w / conv->stride_w - conv->pad_left;
  for (int64_t row = 0; row < y->dims[2]; row++) {
    for (int64_t column = honed_larger(-shift, 0); column < y->dims[3] && column + shift < x->dims[3]; column++) {
      const int64_t pixel = row * y->row_stride + column;
      out[pixel / 64] |= (uint64_t)1 << (pixel % 64);
    }
  }
}

honed_status honed_conv_reach(const honed_conv *conv, honed_call *call, const uint64_t **out, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  *out = NULL;
  if (x->gap_cols >= honed_larger(conv->pad_left, conv->pad_right)) return HONED_OK;
  const int64_t words = y->plane_stride / 64;
  const size_t bytes = (size_t)(conv->kernel_w * words) * sizeof(uint64_t);
  void *memory = NULL;
  const honed_status status = honed_call_alloc(call, bytes, &memory, ctx);
  if (status != HONED_OK) return status;
  uint64_t *reach = memory;
  memset(reach, 0, bytes);
  for (int64_t kx = 0; kx < conv->kernel_w; kx++) fill_reach(conv, x, y, kx, reach + kx * words);
  *out = reach;
  return HONED_OK;
}
