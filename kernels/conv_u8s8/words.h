/* Results with output channels in the lanes on their way to planes, for the vector types of base/x86_bytes_*.h (include one first).
 *
 * A pass yields the u8 results of CHANNELS_PASS output channels. A word of them, PIXELS pixels, is kept as one or two halves of 16
 * channels; a half has 16 rows of one vector: row r has in its lanes of 128 bits the 16 channels of the pixels r, r + 16, ... */
#ifndef HONED_CONV_U8S8_WORDS_H
#define HONED_CONV_U8S8_WORDS_H

#include "base/unroll.h"

enum {
  CHANNELS_PASS = PIXELS / 2, /* two vectors of s32 */
  PASS_HALVES = CHANNELS_PASS / 16,
  HALF_BYTES = 16 * PIXELS,
  WORD_BYTES = PASS_HALVES * HALF_BYTES,
};

/* Where the 16 bytes of `pixel` lie in the first half of its word. */
static inline int64_t word_offset(int64_t pixel) { return pixel / PIXELS * WORD_BYTES + pixel % 16 * PIXELS + pixel % PIXELS / 16 * 16; }

/* Which channel of the pass byte k of a half is: bytes_pack goes by lanes, and takes four channels of either vector from each. */
static inline int64_t word_channel(int half, int k) { return (k & 4) * (PIXELS / 16) + 4 * (2 * half + k / 8) + k % 4; }

/* A byte's place in a lane has the bits (row, byte). A round rotates them by one; after four, row and byte have changed places. */
static inline void transpose_round(const bytes in[16], bytes out[16]) {
  HONED_UNROLL8(i, {
    out[2 * i] = bytes_unpack_lo(in[i], in[i + 8]);
    out[2 * i + 1] = bytes_unpack_hi(in[i], in[i + 8]);
  })
}

/* out[k]: PIXELS pixels of the channel word_channel(half, k). */
static inline void transpose_half(const uint8_t *half, bytes out[16]) {
  bytes rows[16];
  HONED_UNROLL16(i, out[i] = bytes_load(half + PIXELS * i);)
  transpose_round(out, rows);
  transpose_round(rows, out);
  transpose_round(out, rows);
  transpose_round(rows, out);
}

#endif
