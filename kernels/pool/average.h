/* average_pool and global_average_pool, f32 and u8; included by generic.h. */

/* to[x] = sum over taps of from[t * step + x]; where there is no tap, 0. */
static void sum_rows_f32(float *to, const float *from, int64_t taps, int64_t step, int64_t n) {
  for (int64_t x = 0; x < n; x += VF_LANES) {
    vf sum = vf_set1(0.0f);
    for (int64_t t = 0; t < taps; t++) sum = vf_add(sum, vf_load(from + t * step + x));
    if (x + VF_LANES <= n) {
      vf_store(to + x, sum);
    } else {
      vf_store_part(to + x, sum, n - x);
    }
  }
}

/* The same of u8, each less zero_point. */
static void sum_rows_u8(int32_t *to, const uint8_t *from, int64_t taps, int64_t step, int64_t n, int32_t zero_point) {
  for (int64_t x = 0; x < n; x += VF_LANES) {
    vi sum = vi_set1((int32_t)taps * -zero_point);
    for (int64_t t = 0; t < taps; t++) sum = vi_add(sum, vi_load_u8(from + t * step + x));
    if (x + VF_LANES <= n) {
      vi_store(to + x, sum);
    } else {
      vi_store_part(to + x, sum, n - x);
    }
  }
}

/* Lane j: the sum over taps of from[j * stride + t * step]. */
static inline vf sum_columns_f32(const float *from, int64_t taps, int64_t step, int64_t stride) {
  if (stride > 2) {
    float lanes[VF_LANES];
    for (int64_t j = 0; j < VF_LANES; j++) {
      lanes[j] = from[j * stride];
      for (int64_t t = 1; t < taps; t++) lanes[j] += from[j * stride + t * step];
    }
    return vf_load(lanes);
  }
  vf low = vf_load(from), high = stride == 2 ? vf_load(from + VF_LANES) : low;
  for (int64_t t = 1; t < taps; t++) {
    low = vf_add(low, vf_load(from + t * step));
    if (stride == 2) high = vf_add(high, vf_load(from + t * step + VF_LANES));
  }
  return stride == 2 ? vf_even(low, high) : low;
}

static inline vi sum_columns_s32(const int32_t *from, int64_t taps, int64_t step, int64_t stride) {
  if (stride > 2) {
    int32_t lanes[VF_LANES];
    for (int64_t j = 0; j < VF_LANES; j++) {
      lanes[j] = from[j * stride];
      for (int64_t t = 1; t < taps; t++) lanes[j] += from[j * stride + t * step];
    }
    return vi_load(lanes);
  }
  vi low = vi_load(from), high = stride == 2 ? vi_load(from + VF_LANES) : low;
  for (int64_t t = 1; t < taps; t++) {
    low = vi_add(low, vi_load(from + t * step));
    if (stride == 2) high = vi_add(high, vi_load(from + t * step + VF_LANES));
  }
  return stride == 2 ? vi_even(low, high) : low;
}

static inline vi requantize_mean(const honed_pool_params *p, vi sum, vf count) {
  const vf q = vf_fma(vf_div(vf_from_vi(sum), count), vf_set1(p->scale), vf_set1(p->offset));
  return vi_from_vf(vf_min(vf_max(q, vf_set1(p->lo)), vf_set1(p->hi)));
}

static void mean_columns_f32(const honed_pool_params *p, const honed_pool_plan *plan, const float *from, float rows, float *to, int64_t n) {
  for (int64_t x = 0; x < n; x += VF_LANES) {
    const vf count = vf_mul(vf_load(plan->column_counts + x), vf_set1(rows));
    const vf mean = vf_div(sum_columns_f32(from + x * p->w.stride, p->w.kernel, p->w.dilation, p->w.stride), count);
    if (x + VF_LANES <= n) {
      vf_store(to + x, mean);
    } else {
      vf_store_part(to + x, mean, n - x);
    }
  }
}

static void mean_columns_u8(const honed_pool_params *p, const honed_pool_plan *plan, const int32_t *from, float rows, uint8_t *to,
                            int64_t n) {
  for (int64_t x = 0; x < n; x += VF_LANES) {
    const vf count = vf_mul(vf_load(plan->column_counts + x), vf_set1(rows));
    const vi mean = requantize_mean(p, sum_columns_s32(from + x * p->w.stride, p->w.kernel, p->w.dilation, p->w.stride), count);
    if (x + VF_LANES <= n) {
      vi_store_byte(to + x, mean);
    } else {
      vi_store_byte_part(to + x, mean, n - x);
    }
  }
}

/* One row of output: `x` is its plane of input, `y` its row; buffer: a row of sums with margins of 0. */
static void average_row(const honed_call *call, const char *x, char *y, int64_t row, void *buffer) {
  const honed_pool_params *p = call->params;
  const honed_pool_plan *plan = call->plan;
  const honed_tensor *input = call->inputs[0];
  const int64_t height = input->dims[2], step = p->h.dilation * input->row_stride, width = call->outputs[0]->dims[3];
  int64_t first = 0, taps = 0, counted = 0, ignored = 0;
  honed_window_clip(&p->h, row, 0, height, &first, &taps);
  const int64_t top = taps > 0 ? (row * p->h.stride - p->h.pad_begin + first * p->h.dilation) * input->row_stride : 0;
  counted = taps;
  if (p->count_include_pad) honed_window_clip(&p->h, row, -p->h.pad_begin, height + p->h.pad_end, &ignored, &counted);
  if (input->dtype == HONED_F32) {
    float *sums = buffer;
    sum_rows_f32(sums + p->w.pad_begin, (const float *)(const void *)x + top, taps, step, plan->columns);
    mean_columns_f32(p, plan, sums, (float)counted, (float *)(void *)y, width);
  } else {
    int32_t *sums = buffer;
    sum_rows_u8(sums + p->w.pad_begin, (const uint8_t *)x + top, taps, step, plan->columns, input->zero_point);
    mean_columns_u8(p, plan, sums, (float)counted, (uint8_t *)y, width);
  }
}

static void average_pool(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_pool_plan *plan = call->plan;
  const honed_tensor *out = call->outputs[0];
  const honed_planes x = honed_planes_of(call->inputs[0]), y = honed_planes_of(out);
  memset(scratch, 0, (size_t)plan->buffer_elements * sizeof(float));
  for (int64_t task = begin; task < end; task++) {
    const honed_block block = honed_block_at(&plan->blocks, out->dims[2], task);
    char *to = y.data + block.plane * y.plane_bytes;
    for (int64_t row = block.row_begin; row < block.row_end; row++) {
      float *buffer = (float *)scratch + (row - block.row_begin) * plan->buffer_stride;
      average_row(call, x.data + block.plane * x.plane_bytes, to + row * y.row_bytes, row, buffer);
    }
    honed_planar_fill_gaps(out, to, block.row_begin, block.row_end);
  }
}

/* 64 partial sums, added pairwise. The gaps are 0. */
static inline float sum_plane_f32(const float *x, int64_t n) {
  enum { vectors = 64 / VF_LANES };
  vf sums[vectors];
  for (int v = 0; v < vectors; v++) sums[v] = vf_load(x + v * VF_LANES);
  for (int64_t i = 64; i < n; i += 64) {
    for (int v = 0; v < vectors; v++) sums[v] = vf_add(sums[v], vf_load(x + i + v * VF_LANES));
  }
  for (int half = vectors / 2; half > 0; half /= 2) {
    for (int v = 0; v < half; v++) sums[v] = vf_add(sums[v], sums[v + half]);
  }
  return vf_sum(sums[0]);
}

static void global_average_pool_f32(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_tensor *x = call->inputs[0];
  float *y = call->outputs[0]->data;
  const float count = (float)(x->dims[2] * x->dims[3]);
  for (int64_t plane = begin; plane < end; plane++) {
    y[plane] = sum_plane_f32((const float *)x->data + plane * x->plane_stride, x->plane_stride) / count;
  }
}

static void global_average_pool_u8(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_pool_params *p = call->params;
  const honed_tensor *x = call->inputs[0];
  uint8_t *y = call->outputs[0]->data;
  const float scale = p->input_scale / (p->output_scale * (float)(x->dims[2] * x->dims[3]));
  const float lo = p->lo - p->zero_point, hi = p->hi - p->zero_point;
  for (int64_t plane = begin; plane < end; plane++) {
    /* The gaps hold the zero point: each adds 0. */
    const int64_t total = vb_sum((const uint8_t *)x->data + plane * x->plane_stride, x->plane_stride);
    const float q = (float)(total - x->zero_point * x->plane_stride) * scale;
    const float low = q > lo ? q : lo;
    y[plane] = (uint8_t)(rintf(low < hi ? low : hi) + p->zero_point);
  }
}
