/* Lists of a sparse convolution: what is left of the weights.
 *
 * A list belongs to 1, 2 or 4 output channels. An entry is the id of a tap, c * taps + ky * kernel_w + kx, with a weight. Kernels take
 * `step` entries at a time (4 for int8, 1 for f32). What channels have in common is read once for all of them: the steps of a list come in
 * sections, one after the other, which differ in who shares a stream of entries:
 *
 *   0  all        all channels share one stream                                     lists of 1, 2, 4
 *   1  pairs      two streams: of the channels 0 and 1, and of 2 and 3              lists of 4
 *   2             two streams: of the channels 0 and 2, and of 1 and 3              lists of 4
 *   3             two streams: of the channels 0 and 3, and of 1 and 2              lists of 4
 *   4  apart      each channel has a stream of its own                              lists of 2, 4
 *
 * The streams of a section have the same number of steps and are run side by side, so that activations that one of them fetches serve the
 * others from the nearest cache. Lists with step 1 have the first section only.
 *
 *   lists    s32 [num_lists][12]  rows[4] (output channels, -1 where unused), size (1, 2 or 4), begin (in steps of ids), weights (in steps'
 *                                 weights of one channel: where the list's weights begin), steps[5] (of one stream of each section)
 *   ids      u16 or s32 [steps * step]: of a list, for each of its sections' steps, for each of the section's streams, `step` ids
 *   weights  [sum of size * steps][step]: for each step of a list, for each of its channels, `step` weights
 *
 * Every output channel is in exactly one list. With step 1, the ids of a list ascend, so that sums of floats have one order. With step 4, a
 * stream's last steps are filled up with weights of 0. */
#ifndef HONED_CONV_LISTS_H
#define HONED_CONV_LISTS_H

#include "conv.h"

enum { HONED_SECTION_ALL, HONED_SECTION_APART = 4, HONED_SECTIONS }; /* pairs are 1 to 3 */

typedef struct honed_conv_list {
  int32_t rows[4];
  int32_t size, begin, weights;
  int32_t steps[HONED_SECTIONS];
} honed_conv_list;

typedef struct honed_conv_lists {
  const honed_conv_list *lists;
  int64_t num_lists;
  const void *ids;
  int64_t num_ids;
  bool wide_ids; /* s32, not u16 */
  const void *weights;
} honed_conv_lists;

/* How many streams a section has in a list of `size` channels, and which of them is that of a channel. */
static inline int honed_section_streams(int section, int size) {
  return section == HONED_SECTION_ALL ? 1 : section == HONED_SECTION_APART ? size : 2;
}
static inline int honed_section_stream(int section, int channel) {
  switch (section) {
    case HONED_SECTION_ALL: return 0;
    case 1: return channel / 2;
    case 2: return channel % 2;
    case 3: return channel == 1 || channel == 2;
    default: return channel;
  }
}

/* How many steps a list has of ids, of all streams. */
static inline int64_t honed_conv_list_id_steps(const honed_conv_list *l) {
  int64_t sum = 0;
  for (int s = 0; s < HONED_SECTIONS; s++) sum += (int64_t)l->steps[s] * honed_section_streams(s, l->size);
  return sum;
}

/* Behind a list's last entry, where step is 1. */
static inline int64_t honed_conv_list_end(const honed_conv_list *l) { return (int64_t)l->begin + l->steps[HONED_SECTION_ALL]; }

/* The id of an entry. */
static inline int64_t honed_conv_lists_id(const honed_conv_lists *lists, int64_t entry) {
  return lists->wide_ids ? ((const int32_t *)lists->ids)[entry] : ((const uint16_t *)lists->ids)[entry];
}

/* Reads the constants 0 to 2 and checks every index in them, and with step 1 the order of the entries. Sections other than the first are
 * admitted where step is 4. */
honed_status honed_conv_lists_create(const honed_op_spec *spec, const honed_conv *conv, int step, honed_dtype weight_dtype,
                                     honed_conv_lists *out, honed_context *ctx);

/* out[i]: where the plane and tap of ids[i] begin, in elements; of_tap: the same by id (honed_conv_offsets). */
void honed_conv_lists_resolve(const honed_conv_lists *lists, const int32_t *of_tap, int32_t *out);

#endif
