/* Lists of a sparse convolution: what is left of the weights.
 *
 * A list belongs to 1, 2 or 4 output channels. An entry is the id of a tap, c * taps + ky * kernel_w + kx, with a weight. The channels
 * have either one stream of entries in common, with one weight per channel each, or a stream of their own each, all of one length: those
 * are run side by side, so that activations that one of them fetches serve the others from the nearest cache. Kernels take `step` entries
 * of a stream at a time (4 for int8, 1 for f32).
 *
 *   lists    s32 [num_lists][9]   rows[4] (output channels, -1 where unused), size (1, 2 or 4), streams (1 or size), begin, end (in steps),
 *                                 weights (in steps' weights of one channel: where the list's weights begin)
 *   ids      u16 or s32 [steps * step]: of a list, for each of its steps, for each of its streams, `step` ids
 *   weights  [sum of size * (end - begin) / streams][step]: for each step of a list, for each of its channels, `step` weights
 *
 * Every output channel is in exactly one list. A stream's entries come in order of their ids, so that sums of floats have one order; its
 * last steps are filled up with weights of 0. */
#ifndef HONED_CONV_LISTS_H
#define HONED_CONV_LISTS_H

#include "conv.h"

typedef struct honed_conv_list {
  int32_t rows[4];
  int32_t size, streams, begin, end, weights;
} honed_conv_list;

typedef struct honed_conv_lists {
  const honed_conv_list *lists;
  int64_t num_lists;
  const void *ids;
  int64_t num_ids;
  bool wide_ids; /* s32, not u16 */
  const void *weights;
} honed_conv_lists;

/* The id of an entry. */
static inline int64_t honed_conv_lists_id(const honed_conv_lists *lists, int64_t entry) {
  return lists->wide_ids ? ((const int32_t *)lists->ids)[entry] : ((const uint16_t *)lists->ids)[entry];
}

/* Reads the constants 0 to 2 and checks every index in them. Lists of several streams are admitted where step is 4. */
honed_status honed_conv_lists_create(const honed_op_spec *spec, const honed_conv *conv, int step, honed_dtype weight_dtype,
                                     honed_conv_lists *out, honed_context *ctx);

/* out[i]: where the plane and tap of ids[i] begin, in elements; of_tap: the same by id (honed_conv_offsets). */
void honed_conv_lists_resolve(const honed_conv_lists *lists, const int32_t *of_tap, int32_t *out);

#endif
