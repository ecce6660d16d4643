/* Planes of the output, for elements of type ELEMENT; NAME(x) makes the functions' names. Included once per type. */

static inline __attribute__((always_inline)) void NAME(take_every)(const ELEMENT *restrict in, int64_t stride, int64_t count,
                                                                   ELEMENT *restrict out) {
  for (int64_t j = 0; j < count; j++) out[j] = in[stride * j];
}

/* out[j] = row[stride * j + shift] where that lies in [0, width); j < count. The rest of out keeps what it holds. */
static void NAME(copy_row)(const ELEMENT *row, int64_t width, int64_t stride, int64_t shift, ELEMENT *out, int64_t count) {
  const int64_t inside = shift >= width ? 0 : (width - 1 - shift) / stride + 1;
  const int64_t last = inside < count ? inside : count;
  const int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
  if (first >= last) return;
  const ELEMENT *in = row + (shift + stride * first);
  if (stride == 1) {
    memcpy(out + first, in, (size_t)(last - first) * sizeof *out);
  } else if (stride == 2) {
    NAME(take_every)(in, 2, last - first, out + first);
  } else {
    NAME(take_every)(in, stride, last - first, out + first);
  }
}

/* One row phase of one channel: phases_w planes of the output at `out`, from the channel's plane at `in`. */
static void NAME(run_row_phase)(const honed_to_planar *p, const ELEMENT *in, int64_t row_stride, const honed_tensor *x,
                                const honed_tensor *y, int64_t a, ELEMENT *out, ELEMENT fill) {
  const int64_t elements = p->phases_w * y->plane_stride; /* read once: bytes may alias anything */
  for (int64_t i = 0; i < elements; i++) out[i] = fill;
  /* Rows of the output whose row of the input, stride_h * i + a - pad_top, exists. */
  const int64_t before = p->pad_top - a, behind = x->dims[2] + before;
  const int64_t begin = before > 0 ? (before + p->stride_h - 1) / p->stride_h : 0;
  const int64_t end = honed_smaller(behind > 0 ? (behind + p->stride_h - 1) / p->stride_h : 0, y->dims[2]);
  if (begin >= end) return;
  const ELEMENT *row = in + (begin * p->stride_h - before) * row_stride;
  const int64_t step = p->stride_h * row_stride;
  ELEMENT *to = out + begin * y->row_stride;
#ifdef NAME_SPLIT_ROWS_IN_TWO
  if (p->stride_w == 2) {
    ELEMENT *odd = p->phases_w == 2 ? to + y->plane_stride : NULL;
    NAME_SPLIT_ROWS_IN_TWO(row, step, end - begin, x->dims[3], p->pad_left, to, odd, y->row_stride, y->plane_stride - begin * y->row_stride,
                           fill);
    return;
  }
#endif
  for (int64_t i = begin; i < end; i++, row += step, to += y->row_stride) {
    for (int64_t b = 0; b < p->phases_w; b++) {
      NAME(copy_row)(row, x->dims[3], p->stride_w, b - p->pad_left, to + b * y->plane_stride, y->row_stride);
    }
  }
}

static void NAME(run_tasks)(const honed_to_planar *p, const honed_tensor *x, const honed_tensor *y, int64_t begin, int64_t end,
                            ELEMENT fill) {
  const bool dense = x->layout == HONED_DENSE;
  const int64_t row_stride = dense ? x->dims[3] : x->row_stride;
  const int64_t plane_stride = dense ? x->dims[2] * x->dims[3] : x->plane_stride;
  const int64_t image_stride = dense ? x->dims[1] * plane_stride : x->image_stride;
  int64_t a = begin % p->phases_h, channel = begin / p->phases_h % x->dims[1], image = begin / p->phases_h / x->dims[1];
  for (int64_t task = begin; task < end; task++) {
    const ELEMENT *in = (const ELEMENT *)x->data + image * image_stride + channel * plane_stride;
    ELEMENT *out = (ELEMENT *)y->data + image * y->image_stride + (channel * p->phases_h + a) * p->phases_w * y->plane_stride;
    NAME(run_row_phase)(p, in, row_stride, x, y, a, out, fill);
    if (++a < p->phases_h) continue;
    a = 0;
    if (++channel < x->dims[1]) continue;
    channel = 0;
    image++;
  }
}
