/* Walking over the planes of rank-4 tensors of either layout, and closing the gaps of those that were written. */
#ifndef HONED_BASE_PLANES_H
#define HONED_BASE_PLANES_H

#include <stdint.h>

#include "integers.h"
#include "tensor.h"

/* Where the planes and rows of a rank-4 tensor lie: pixel (y, x) of plane p (image after image, channel after channel) is at
 * data + p * plane_bytes + y * row_bytes + x * element_bytes. */
typedef struct honed_planes {
  char *data;
  int64_t plane_bytes, row_bytes, element_bytes;
} honed_planes;

honed_planes honed_planes_of(const honed_tensor *t);

/* Planes cut into blocks of whole rows, so that a task is neither too small nor too large. Block b of a plane holds the rows
 * [b * rows, min((b + 1) * rows, H)); a plane without rows has one empty block. */
typedef struct honed_blocks {
  int64_t rows, per_plane;
} honed_blocks;

/* Blocks of about `elements` elements of planes of `height` rows, `row` elements each. */
honed_blocks honed_blocks_make(int64_t height, int64_t row, int64_t elements);

/* A block: rows [row_begin, row_end) of a plane. */
typedef struct honed_block {
  int64_t plane, row_begin, row_end;
} honed_block;

/* Block `index` of all planes of `height` rows, one plane's after the other's. */
static inline honed_block honed_block_at(const honed_blocks *blocks, int64_t height, int64_t index) {
  const int64_t begin = index % blocks->per_plane * blocks->rows;
  return (honed_block){.plane = index / blocks->per_plane, .row_begin = begin, .row_end = honed_smaller(begin + blocks->rows, height)};
}

/* Writes `fill` behind the rows [row_begin, row_end) of a plane of a planar tensor, and where row_end is H to the rest of the plane. */
void honed_planar_fill_gaps(const honed_tensor *t, char *plane, int64_t row_begin, int64_t row_end);

/* Writes `fill` to the elements [begin, end) of a plane of a planar tensor, if there are any. */
void honed_planar_fill(const honed_tensor *t, int64_t image, int64_t channel, int64_t begin, int64_t end);

/* The byte that `fill` consists of. */
static inline uint8_t honed_fill_byte(const honed_tensor *t) { return t->dtype == HONED_U8 ? t->zero_point : 0; }

#endif
