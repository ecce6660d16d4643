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

static void NAME(run_plane)(const honed_to_planar *p, const honed_tensor *x, const honed_tensor *y, int64_t plane, ELEMENT fill) {
  const int64_t phases = p->phases_h * p->phases_w, image = plane / y->dims[1], channel = plane % y->dims[1] / phases;
  const int64_t a = plane % phases / p->phases_w, b = plane % p->phases_w;
  const bool dense = x->layout == HONED_DENSE;
  const int64_t height = x->dims[2], width = x->dims[3], row_stride = dense ? width : x->row_stride;
  const ELEMENT *in = (const ELEMENT *)x->data;
  in += dense ? (image * x->dims[1] + channel) * height * width : image * x->image_stride + channel * x->plane_stride;
  ELEMENT *out = (ELEMENT *)y->data + image * y->image_stride + plane % y->dims[1] * y->plane_stride;
  for (int64_t i = 0; i < y->dims[2]; i++) {
    const int64_t row = i * p->stride_h + a - p->pad_top;
    const bool inside = row >= 0 && row < height;
    NAME(copy_row)(inside ? in + row * row_stride : in, inside ? width : 0, p->stride_w, b - p->pad_left, out + i * y->row_stride,
                   y->row_stride, fill);
  }
  for (int64_t i = y->dims[2] * y->row_stride; i < y->plane_stride; i++) out[i] = fill;
}
