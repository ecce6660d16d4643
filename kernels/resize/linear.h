#include "base/variant.h"
#include "resize.h"

static inline vf lerp(vf a, vf b, vf weight) { return vf_fma(b, weight, vf_mul(a, vf_sub(vf_set1(1.0f), weight))); }

/* Whole vectors: `to` has room, and `a` and `b` may be read, for one vector behind n. */
static void lerp_rows(float *to, const float *a, const float *b, float weight, int64_t n) {
  for (int64_t x = 0; x < n; x += VF_LANES) vf_store(to + x, lerp(vf_load(a + x), vf_load(b + x), vf_set1(weight)));
}

static void lerp_columns(float *to, const float *from, const honed_resize_axis *columns, int64_t n) {
  int64_t x = 0;
  for (; x + VF_LANES <= n; x += VF_LANES) {
    const vf a = vf_gather(from, vi_load(columns->near + x)), b = vf_gather(from, vi_load(columns->far + x));
    vf_store(to + x, lerp(a, b, vf_load(columns->weight + x)));
  }
  if (x < n) {
    const vf a = vf_gather(from, vi_load_part(columns->near + x, n - x)), b = vf_gather(from, vi_load_part(columns->far + x, n - x));
    vf_store_part(to + x, lerp(a, b, vf_load_part(columns->weight + x, n - x)), n - x);
  }
}

static void resize_linear(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  const honed_resize_plan *plan = call->plan;
  const honed_tensor *in = call->inputs[0], *out = call->outputs[0];
  for (int64_t task = begin; task < end; task++) {
    const honed_block block = honed_block_at(&plan->blocks, out->dims[2], task);
    const float *from = (const float *)in->data + block.plane * in->plane_stride;
    float *to = (float *)out->data + block.plane * out->plane_stride;
    for (int64_t row = block.row_begin; row < block.row_end; row++) {
      const float *a = from + plan->rows.near[row] * in->row_stride, *b = from + plan->rows.far[row] * in->row_stride;
      lerp_rows(scratch, a, b, plan->rows.weight[row], in->dims[3]);
      lerp_columns(to + row * out->row_stride, scratch, &plan->columns, out->dims[3]);
    }
    honed_planar_fill_gaps(out, (char *)to, block.row_begin, block.row_end);
  }
}

const honed_resize_kernel HONED_VARIANT_SYMBOL(honed_resize_linear_kernel) = {HONED_VARIANT_TEXT(honed_resize_linear), resize_linear};
