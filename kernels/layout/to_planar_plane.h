/* One plane of the output, for elements of type ELEMENT; NAME(x) makes the functions' names. Included once per type. */

static inline __attribute__((always_inline)) void NAME(take_every)(const ELEMENT *restrict in, int64_t stride, int64_t count,
                                                                   ELEMENT *restrict out) {
  for (int64_t j = 0; j < count; j++) out[j] = in[stride * j];
}

/* out[j] = row[stride * j + shift] where that lies in [0, width), `fill` elsewhere, for j < count. */
static void NAME(copy_row)(const ELEMENT *row, int64_t width, int64_t stride, int64_t shift, ELEMENT *out, int64_t count, ELEMENT fill) {
  const int64_t inside = shift >= width ? 0 : (width - 1 - shift) / stride + 1;
  const int64_t last = inside < count ? inside : count;
  const int64_t before = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  const int64_t first = before < last ? before : last;
  for (int64_t j = 0; j < first; j++) out[j] = fill;
  if (first < last) {
    const ELEMENT *in = row + (shift + stride * first);
    if (stride == 1) {
      memcpy(out + first, in, (size_t)(last - first) * sizeof *out);
    } else if (stride == 2) {
      NAME(take_every)(in, 2, last - first, out + first);
    } else {
      NAME(take_every)(in, stride, last - first, out + first);
    }
  }
  for (int64_t j = last; j < count; j++) out[j] = fill;
}

/* One row to its column phases, `count` elements each, phase b at out + b * plane_stride; `room` is
 * what is left of a plane from here. */
static void NAME(split_row)(const honed_to_planar *p, const ELEMENT *row, int64_t width, ELEMENT *out, int64_t plane_stride, int64_t count,
                            int64_t room, ELEMENT fill) {
#ifdef NAME_SPLIT_IN_TWO
  if (p->stride_w == 2) {
    NAME_SPLIT_IN_TWO(row, width, p->pad_left, out, p->phases_w == 2 ? out + plane_stride : NULL, count, room, fill);
    return;
  }
#endif
  (void)room;
  for (int64_t b = 0; b < p->phases_w; b++) {
    NAME(copy_row)(row, width, p->stride_w, b - p->pad_left, out + b * plane_stride, count, fill);
  }
}

/* One row phase of one channel: phases_w planes of the output. */
static void NAME(run_row_phase)(const honed_to_planar *p, const honed_tensor *x, const honed_tensor *y, int64_t task, ELEMENT fill) {
  const int64_t a = task % p->phases_h, channel = task / p->phases_h % x->dims[1], image = task / p->phases_h / x->dims[1];
  const bool dense = x->layout == HONED_DENSE;
  const int64_t height = x->dims[2], width = x->dims[3], row_stride = dense ? width : x->row_stride;
  const ELEMENT *in = (const ELEMENT *)x->data;
  in += dense ? (image * x->dims[1] + channel) * height * width : image * x->image_stride + channel * x->plane_stride;
  ELEMENT *out = (ELEMENT *)y->data + image * y->image_stride + (channel * p->phases_h + a) * p->phases_w * y->plane_stride;
  for (int64_t i = 0; i < y->dims[2]; i++, out += y->row_stride) {
    const int64_t row = i * p->stride_h + a - p->pad_top;
    const bool inside = row >= 0 && row < height;
    NAME(split_row)(p, inside ? in + row * row_stride : in, inside ? width : 0, out, y->plane_stride, y->row_stride,
                    y->plane_stride - i * y->row_stride, fill);
  }
  for (int64_t b = 0; b < p->phases_w; b++) {
    for (int64_t i = 0; i < y->plane_stride - y->dims[2] * y->row_stride; i++) out[b * y->plane_stride + i] = fill;
  }
}
