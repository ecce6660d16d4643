/* Lists of a sparse convolution: what is left of the weights.
 *
 * A list belongs to 1, 2 or 4 output channels that have their entries in common. An entry is the id of a tap, c * taps + ky * kernel_w +
 * kx, with one weight per output channel. Kernels take `step` entries at a time (4 for int8, 1 for f32).
 *
 *   lists    s32 [num_lists][8]   rows[4] (output channels, -1 where unused), size (1, 2 or 4), begin, end (in steps), weights (in steps'
 *                                 weights of one channel: where the list's weights begin)
 *   ids      u16 or s32 [steps * step]
 *   weights  [sum of size * (end - begin)][step]: for each step of a list, for each of its channels, `step` weights
 *
 * Every output channel is in exactly one list. A list's entries come in order of their ids, so that sums of floats have one order; the
 * last step is filled up with weights of 0. */
#ifndef HONED_CONV_LISTS_H
#define HONED_CONV_LISTS_H

#include "conv.h"

typedef struct honed_conv_list {
  int32_t rows[4];
  int32_t size, begin, end, weights;
} honed_conv_list;

typedef struct honed_conv_lists {
  const honed_conv_list *lists;
  int64_t num_lists;
  const void *ids;
  bool wide_ids; /* s32, not u16 */
  const void *weights;
} honed_conv_lists;

/* Reads the constants 0 to 2 and checks every index in them. */
honed_status honed_conv_lists_create(const honed_op_spec *spec, const honed_conv *conv, int step, honed_dtype weight_dtype,
                                     honed_conv_lists *out, honed_context *ctx);

static inline __attribute__((always_inline)) int64_t honed_conv_id(const void *ids, int64_t i, bool wide) {
  return wide ? ((const int32_t *)ids)[i] : ((const uint16_t *)ids)[i];
}

#endif
