#include "base/math_f32.h"
#include "base/variant.h"
#include "softmax.h"

enum { PARTS = 16, PART_VECS = PARTS / VF_LANES };

static inline int64_t lanes_left(int64_t n) { return n < VF_LANES ? n : VF_LANES; }
static inline vf load_up_to(const float *p, int64_t n) { return n == VF_LANES ? vf_load(p) : vf_load_part(p, n); }

static inline void store_up_to(float *p, vf v, int64_t n) {
  if (n == VF_LANES) {
    vf_store(p, v);
  } else {
    vf_store_part(p, v, n);
  }
}

static float row_max(const float *x, int64_t n) {
  vf best = vf_set1(x[0]);
  int64_t i = 0;
  for (; i + VF_LANES <= n; i += VF_LANES) best = vf_max(best, vf_load(x + i));
  float lanes[VF_LANES], max = x[0];
  vf_store(lanes, best);
  for (int lane = 0; lane < VF_LANES; lane++) max = lanes[lane] > max ? lanes[lane] : max;
  for (; i < n; i++) max = x[i] > max ? x[i] : max;
  return max;
}

static float add_parts(const vf *sums) {
  float parts[PARTS];
  for (int v = 0; v < PART_VECS; v++) vf_store(parts + v * VF_LANES, sums[v]);
  for (int half = PARTS / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; i++) parts[i] += parts[i + half];
  }
  return parts[0];
}

/* y = exp(x - max); returns the sum. */
static float row_exp(const float *x, float *y, int64_t n, float max) {
  vf sums[PART_VECS];
  for (int v = 0; v < PART_VECS; v++) sums[v] = vf_set1(0);
  int64_t i = 0;
  for (; i + PARTS <= n; i += PARTS) {
    for (int v = 0; v < PART_VECS; v++) {
      const vf e = vf_exp(vf_sub(vf_load(x + i + v * VF_LANES), vf_set1(max)));
      vf_store(y + i + v * VF_LANES, e);
      sums[v] = vf_add(sums[v], e);
    }
  }
  for (int v = 0; i < n; v++, i += VF_LANES) {
    const int64_t count = lanes_left(n - i);
    store_up_to(y + i, vf_exp(vf_sub(load_up_to(x + i, count), vf_set1(max))), count);
    sums[v] = vf_add(sums[v], load_up_to(y + i, count));
  }
  return add_parts(sums);
}

static inline vf finish(vf x, vf e, vf max, vf sum, bool log) { return log ? vf_sub(vf_sub(x, max), vf_log(sum)) : vf_div(e, sum); }

static void softmax_row(const float *x, float *y, int64_t n, bool log) {
  const float max = row_max(x, n), sum = row_exp(x, y, n, max);
  for (int64_t i = 0; i < n; i += VF_LANES) {
    const int64_t count = lanes_left(n - i);
    const vf result = finish(load_up_to(x + i, count), load_up_to(y + i, count), vf_set1(max), vf_set1(sum), log);
    store_up_to(y + i, result, count);
  }
}

static void softmax_columns(const float *x, float *y, int64_t n, int64_t stride, int64_t columns, bool log) {
  for (int64_t c = 0; c < columns; c += VF_LANES) {
    const int64_t count = lanes_left(columns - c);
    vf max = load_up_to(x + c, count), sum = vf_set1(0);
    for (int64_t i = 1; i < n; i++) max = vf_max(max, load_up_to(x + i * stride + c, count));
    for (int64_t i = 0; i < n; i++) {
      const vf e = vf_exp(vf_sub(load_up_to(x + i * stride + c, count), max));
      store_up_to(y + i * stride + c, e, count);
      sum = vf_add(sum, e);
    }
    for (int64_t i = 0; i < n; i++) {
      const int64_t at = i * stride + c;
      store_up_to(y + at, finish(load_up_to(x + at, count), load_up_to(y + at, count), max, sum, log), count);
    }
  }
}

const honed_softmax_kernel HONED_VARIANT_SYMBOL(honed_softmax_kernel) = {HONED_VARIANT_TEXT(honed_softmax), softmax_row, softmax_columns};
