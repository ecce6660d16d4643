/* ONNX Resize over H and W; x planar, [like of rank 4, any type and layout] -> planar, the type and zero point of x.
 *
 *   resize_nearest   f32 or u8     the pixel at the rounded position; attribute nearest_mode
 *   resize_linear    f32           rows first, columns next: each fmaf(b, w, a * (1 - w)) of the two pixels around the position
 *   resize_filter    f32           rows first, columns next: sums of weighted pixels around the position (filter.h)
 *
 * Attributes, per axis: out_h, out_w (sizes) or scale_h, scale_w (floats; the size is floor(size * scale)); where both are given,
 * the scale is for the positions only. With `like` the sizes are its H and W. coordinate_mode: a code below. Positions are computed in
 * f32, as ONNX Runtime does, and clamped to the image. aspect: the sizes are bounds; both axes are scaled by the least (1) or the
 * greatest (2) of out / size, and the sizes are rounded. */
#ifndef HONED_RESIZE_H
#define HONED_RESIZE_H

#include "base/operator.h"
#include "base/planes.h"

/* Codes are stored in .honed files: append, never change. */
enum {
  HONED_RESIZE_HALF_PIXEL = 0,
  HONED_RESIZE_PYTORCH_HALF_PIXEL = 1,
  HONED_RESIZE_ALIGN_CORNERS = 2,
  HONED_RESIZE_ASYMMETRIC = 3,
  HONED_RESIZE_HALF_PIXEL_SYMMETRIC = 4,
  HONED_RESIZE_TF_CROP_AND_RESIZE = 5, /* resize_filter */
  HONED_RESIZE_COORDINATE_MODES,
};

enum {
  HONED_RESIZE_ROUND_PREFER_FLOOR = 0,
  HONED_RESIZE_ROUND_PREFER_CEIL = 1,
  HONED_RESIZE_FLOOR = 2,
  HONED_RESIZE_CEIL = 3,
  HONED_RESIZE_NEAREST_MODES,
};

enum {
  HONED_RESIZE_STRETCH = 0,
  HONED_RESIZE_NOT_LARGER = 1,
  HONED_RESIZE_NOT_SMALLER = 2,
  HONED_RESIZE_ASPECTS,
};

enum { HONED_RESIZE_MAX_SIZE = 1 << 30, HONED_RESIZE_TASK = 8192 }; /* pixels along an axis, elements of a task */

typedef struct honed_resize_kernel {
  const char *name;
  honed_kernel kernel;
} honed_resize_kernel;

typedef struct honed_resize_params {
  honed_resize_kernel kernel;
  int64_t out[2]; /* 0: from the scale */
  float scale[2]; /* 0: from the sizes */
  bool like;      /* the sizes are those of input 1 */
  int64_t coordinate_mode, nearest_mode, aspect;
  float roi[2][2]; /* tf_crop_and_resize: begin and end along each axis, in images */
} honed_resize_params;

/* Where the output positions of one axis lie in the input. */
typedef struct honed_resize_axis {
  int32_t *near, *far; /* the pixel, or the two around the position */
  float *weight;       /* of `far` */
} honed_resize_axis;

typedef struct honed_resize_plan {
  honed_blocks blocks;
  honed_resize_axis rows, columns;
  int64_t repeat; /* nearest: every column is repeated so many times, or 0 */
} honed_resize_plan;

/* For create: tensors, and the attributes named above; coordinate modes below `modes`. */
honed_status honed_resize_create(const honed_op_spec *spec, int modes, honed_resize_params *p, honed_context *ctx);

/* For reshape: the sizes of the output. *p is a copy of the call's parameters whose `scale` becomes that of both axes where `aspect` says
 * so. */
honed_status honed_resize_sizes(const honed_call *call, honed_resize_params *p, int64_t *sizes, honed_context *ctx);

/* The position in the input of output pixel `index` along axis 0 (H) or 1 (W), not clamped; and rounded as `nearest_mode` says. */
float honed_resize_position(const honed_resize_params *p, int axis, int64_t size, int64_t out, int64_t index);
float honed_resize_round(float position, int64_t nearest_mode);

/* Fill the arrays of `axis`, `out` elements each. */
void honed_resize_nearest_axis(const honed_resize_params *p, int axis, int64_t size, int64_t out, honed_resize_axis *positions);
void honed_resize_linear_axis(const honed_resize_params *p, int axis, int64_t size, int64_t out, honed_resize_axis *positions);

void honed_resize_nearest(const honed_call *call, void *scratch, int64_t begin, int64_t end);

#define HONED_RESIZE_VARIANT(isa, variant) \
  extern const honed_resize_kernel honed_resize_linear_kernel__##variant, honed_resize_filter_kernel__##variant;
#include "kernels.inc"
#undef HONED_RESIZE_VARIANT

#endif
