#include "base/variant.h"
#include "filter.h"

/* Whole vectors: `to` has room, and `from` may be read, for one vector behind n. */
static void filter_rows(float *to, const float *from, int64_t stride, const honed_filter_axis *rows, int64_t row, int64_t n) {
  const float *weights = rows->weights + row;
  for (int64_t x = 0; x < n; x += VF_LANES) {
    vf sum = vf_mul(vf_load(from + x), vf_set1(weights[0]));
    for (int64_t k = 1; k < rows->taps; k++) sum = vf_fma(vf_load(from + k * stride + x), vf_set1(weights[k * rows->size]), sum);
    vf_store(to + x, sum);
  }
}

static void filter_columns(float *to, const float *from, const honed_filter_axis *columns) {
  int64_t x = 0;
  for (; x + VF_LANES <= columns->size; x += VF_LANES) {
    const vi first = vi_load(columns->first + x);
    vf sum = vf_mul(vf_gather(from, first), vf_load(columns->weights + x));
    for (int64_t k = 1; k < columns->taps; k++) {
      sum = vf_fma(vf_gather(from + k, first), vf_load(columns->weights + k * columns->size + x), sum);
    }
    vf_store(to + x, sum);
  }
  const int64_t rest = columns->size - x;
  if (rest == 0) return;
  const vi first = vi_load_part(columns->first + x, rest);
  vf sum = vf_mul(vf_gather(from, first), vf_load_part(columns->weights + x, rest));
  for (int64_t k = 1; k < columns->taps; k++) {
    sum = vf_fma(vf_gather(from + k, first), vf_load_part(columns->weights + k * columns->size + x, rest), sum);
  }
  vf_store_part(to + x, sum, rest);
}

/* Whatever lies outside of the image. */
static void put_value(float *to, const honed_filter_plan *plan, int64_t row, float value) {
  for (int64_t x = 0; plan->columns.outside != NULL && x < plan->columns.size; x++) {
    if (plan->rows.outside[row] || plan->columns.outside[x]) to[x] = value;
  }
}

static void resize_filter(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_filter_params *p = call->params;
  const honed_filter_plan *plan = call->plan;
  const honed_tensor *in = call->inputs[0], *out = call->outputs[0];
  for (int64_t task = begin; task < end; task++) {
    const honed_block block = honed_block_at(&plan->blocks, out->dims[2], task);
    const float *from = (const float *)in->data + block.plane * in->plane_stride;
    float *to = (float *)out->data + block.plane * out->plane_stride;
    for (int64_t row = block.row_begin; row < block.row_end; row++) {
      filter_rows(scratch, from + plan->rows.first[row] * in->row_stride, in->row_stride, &plan->rows, row, in->dims[3]);
      filter_columns(to + row * out->row_stride, scratch, &plan->columns);
      put_value(to + row * out->row_stride, plan, row, p->value);
    }
    honed_planar_fill_gaps(out, (char *)to, block.row_begin, block.row_end);
  }
}

const honed_resize_kernel HONED_VARIANT_SYMBOL(honed_resize_filter_kernel) = {HONED_VARIANT_TEXT(honed_resize_filter), resize_filter};
