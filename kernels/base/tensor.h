/* Tensors as kernels see them.
 *
 * DENSE    row-major, contiguous, any rank up to HONED_MAX_RANK.
 * PLANAR   rank 4 (N, C, H, W): one plane of pixels per image and channel, planes side by side.
 *
 *   pixel (y, x) of channel c of image n  =  data[n * image_stride + c * plane_stride + y * row_stride + x]
 *
 *   row_stride   = W + gap_cols
 *   plane_stride = (H + gap_rows) * row_stride, rounded up to HONED_PLANE_ALIGN elements
 *   image_stride = C * plane_stride
 *
 * Everything in a planar buffer that is not a valid pixel is a gap, and holds `fill` (the zero point of a quantised tensor, 0 of
 * a float one): gap_cols columns behind each row, which are the right padding of that row and the left padding of the next;
 * gap_rows rows and the rounding behind each plane, which are the bottom padding of that plane and the top padding of the next;
 * and a lead of honed_planar_lead() elements before the first plane. A convolution with padding up to gap_rows x gap_cols
 * therefore reads zeros (or zero points) wherever it leaves the image, at no cost, and over *flat* pixels it is the same for
 * every pixel: the tap (ky, kx) of channel c lies at the constant distance
 *   c * plane_stride + (ky * dilation_h - pad_top) * row_stride + (kx * dilation_w - pad_left).
 *
 * Whoever writes a planar tensor writes every element of every plane: valid pixels, and `fill` in the gaps. The executor fills
 * the lead. A reader may read HONED_OVERREAD elements past the last plane and before the lead; what it finds there is arbitrary. */
#ifndef HONED_BASE_TENSOR_H
#define HONED_BASE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum {
  HONED_MAX_RANK = 8,
  HONED_PLANE_ALIGN = 64, /* elements */
  HONED_OVERREAD = 128,   /* elements */
};

typedef enum honed_dtype {
  HONED_F32 = 1,
  HONED_U8 = 2,
  HONED_S8 = 3,
  HONED_S32 = 4,
  HONED_S64 = 5,
  HONED_BOOL = 6, /* one byte, 0 or 1 */
  HONED_U16 = 7,  /* constants only: indices of packed weights, and weights in bf16 */
  HONED_F64 = 8,
} honed_dtype;

typedef enum honed_layout { HONED_DENSE = 0, HONED_PLANAR = 1 } honed_layout;

typedef struct honed_tensor {
  honed_dtype dtype;
  honed_layout layout;
  int32_t rank;
  int32_t gap_rows, gap_cols; /* planar */
  uint8_t zero_point;         /* u8: what `fill` is */
  int64_t dims[HONED_MAX_RANK];
  int64_t row_stride, plane_stride, image_stride; /* planar, in elements; set by honed_tensor_reshape */
  void *data;                                     /* dense: the first element; planar: pixel (0, 0) of the first plane */
} honed_tensor;

/* Bytes of one element; 0 for a value that is no honed_dtype. */
size_t honed_dtype_bytes(honed_dtype dtype);
const char *honed_dtype_name(honed_dtype dtype);

/* Sets the shape, and of a planar tensor the strides. Fails on a negative dimension, on a rank out of range or not 4 where the
 * layout is planar, and where the buffer would not fit in PTRDIFF_MAX / 2 bytes. */
honed_status honed_tensor_reshape(honed_tensor *t, int rank, const int64_t *dims, honed_context *ctx);

/* Product of the dimensions. */
int64_t honed_tensor_count(const honed_tensor *t);

/* Elements of `fill` before the first plane, a multiple of HONED_PLANE_ALIGN: at least gap_rows * row_stride + gap_cols. */
int64_t honed_planar_lead(const honed_tensor *t);

/* Bytes of the whole buffer: dense elements, or lead + planes + HONED_OVERREAD at both ends; and where `data` lies in it. */
size_t honed_tensor_buffer_bytes(const honed_tensor *t);
size_t honed_tensor_data_offset(const honed_tensor *t);

/* Writes `fill` to the lead of a planar tensor. */
void honed_planar_fill_lead(honed_tensor *t);

/* One past the flat index of the last valid pixel of a plane: (H - 1) * row_stride + W, or 0 for an empty plane. */
int64_t honed_planar_extent(const honed_tensor *t);

/* Whether elements of both, which have one shape, lie at the same distances from `data`, and are of one type. */
bool honed_tensor_same_places(const honed_tensor *a, const honed_tensor *b);

/* "u8 planar [1,64,56,56]" */
void honed_tensor_describe(const honed_tensor *t, char *out, size_t out_bytes);

#endif
