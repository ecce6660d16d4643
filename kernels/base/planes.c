#include "planes.h"

#include <string.h>

honed_planes honed_planes_of(const honed_tensor *t) {
  const int64_t element = (int64_t)honed_dtype_bytes(t->dtype);
  const bool planar = t->layout == HONED_PLANAR;
  const int64_t row = planar ? t->row_stride : t->dims[3];
  const int64_t plane = planar ? t->plane_stride : t->dims[2] * t->dims[3];
  return (honed_planes){t->data, plane * element, row * element, element};
}

honed_blocks honed_blocks_make(int64_t height, int64_t row, int64_t elements) {
  const int64_t wanted = row > 0 ? elements / row : height;
  const int64_t rows = wanted < 1 ? 1 : wanted;
  if (rows >= height) return (honed_blocks){height, 1};
  return (honed_blocks){rows, (height + rows - 1) / rows};
}

/* Gaps of one to three pixels are the rule: a call of memset for each would cost more than the rows. */
static void fill_columns(char *gap, int64_t rows, int64_t row_bytes, int64_t gap_bytes, uint8_t fill) {
  const uint32_t word = fill * 0x01010101u;
  switch (gap_bytes) {
    case 0: return;
    case 1:
      for (int64_t y = 0; y < rows; y++) gap[y * row_bytes] = (char)fill;
      return;
    case 2:
      for (int64_t y = 0; y < rows; y++) memcpy(gap + y * row_bytes, &word, 2);
      return;
    case 4:
      for (int64_t y = 0; y < rows; y++) memcpy(gap + y * row_bytes, &word, 4);
      return;
    default:
      for (int64_t y = 0; y < rows; y++) memset(gap + y * row_bytes, fill, (size_t)gap_bytes);
  }
}

void honed_planar_fill_gaps(const honed_tensor *t, char *plane, int64_t row_begin, int64_t row_end) {
  const int64_t element = (int64_t)honed_dtype_bytes(t->dtype);
  const int64_t row_bytes = t->row_stride * element;
  const uint8_t fill = honed_fill_byte(t);
  fill_columns(plane + row_begin * row_bytes + t->dims[3] * element, row_end - row_begin, row_bytes, t->gap_cols * element, fill);
  if (row_end == t->dims[2]) {
    const int64_t used = row_end * row_bytes;
    memset(plane + used, fill, (size_t)(t->plane_stride * element - used));
  }
}

void honed_planar_fill(const honed_tensor *t, int64_t image, int64_t channel, int64_t begin, int64_t end) {
  const int64_t bytes = (int64_t)honed_dtype_bytes(t->dtype), at = image * t->image_stride + channel * t->plane_stride + begin;
  memset((char *)t->data + at * bytes, honed_fill_byte(t), end > begin ? (size_t)((end - begin) * bytes) : 0);
}
