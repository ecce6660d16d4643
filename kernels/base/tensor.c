#include "tensor.h"

#include <stdio.h>
#include <string.h>

size_t honed_dtype_bytes(honed_dtype dtype) {
  switch (dtype) {
    case HONED_F32: return 4;
    case HONED_U8: return 1;
    case HONED_S8: return 1;
    case HONED_S32: return 4;
    case HONED_S64: return 8;
    case HONED_BOOL: return 1;
    case HONED_U16: return 2;
    case HONED_F64: return 8;
  }
  return 0;
}

const char *honed_dtype_name(honed_dtype dtype) {
  switch (dtype) {
    case HONED_F32: return "f32";
    case HONED_U8: return "u8";
    case HONED_S8: return "s8";
    case HONED_S32: return "s32";
    case HONED_S64: return "s64";
    case HONED_BOOL: return "bool";
    case HONED_U16: return "u16";
    case HONED_F64: return "f64";
  }
  return "invalid";
}

static bool multiply(int64_t a, int64_t b, int64_t *out) { return !__builtin_mul_overflow(a, b, out) && *out <= PTRDIFF_MAX / 4; }

honed_status honed_tensor_reshape(honed_tensor *t, int rank, const int64_t *dims, honed_context *ctx) {
  if (rank < 0 || rank > HONED_MAX_RANK || (t->layout == HONED_PLANAR && rank != 4)) {
    return honed_fail(ctx, HONED_INVALID_SHAPE, "rank %d: expected %s", rank, t->layout == HONED_PLANAR ? "4" : "0 to 8");
  }
  int64_t bytes = (int64_t)honed_dtype_bytes(t->dtype);
  bool fits = bytes > 0;
  for (int i = 0; i < rank; i++) {
    if (dims[i] < 0) return honed_fail(ctx, HONED_INVALID_SHAPE, "dimension %d is %lld", i, (long long)dims[i]);
    /* An empty tensor's other dimensions are bounded as well: strides are computed from them. */
    fits = fits && multiply(bytes, dims[i] > 0 ? dims[i] : 1, &bytes);
  }
  int64_t row = 0, plane = 0, planes = 0, total = 0;
  if (fits && t->layout == HONED_PLANAR) {
    row = dims[3] + t->gap_cols;
    fits = multiply(dims[2] + t->gap_rows, row, &plane);
    if (fits) plane = (plane + HONED_PLANE_ALIGN - 1) / HONED_PLANE_ALIGN * HONED_PLANE_ALIGN;
    fits = fits && multiply(dims[0], dims[1], &planes) && multiply(planes, plane, &total) &&
           multiply(total, (int64_t)honed_dtype_bytes(t->dtype), &total);
  }
  if (!fits) return honed_fail(ctx, HONED_INVALID_SHAPE, "tensor is too large for the address space");
  t->rank = rank;
  memset(t->dims, 0, sizeof t->dims);
  if (rank > 0) memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
  t->row_stride = row;
  t->plane_stride = plane;
  t->image_stride = rank == 4 ? dims[1] * plane : 0;
  return HONED_OK;
}

int64_t honed_tensor_count(const honed_tensor *t) {
  int64_t count = 1;
  for (int i = 0; i < t->rank; i++) count *= t->dims[i];
  return count;
}

int64_t honed_planar_lead(const honed_tensor *t) {
  const int64_t needed = t->gap_rows * t->row_stride + t->gap_cols;
  return (needed + HONED_PLANE_ALIGN - 1) / HONED_PLANE_ALIGN * HONED_PLANE_ALIGN;
}

size_t honed_tensor_buffer_bytes(const honed_tensor *t) {
  const size_t element = honed_dtype_bytes(t->dtype);
  if (t->layout == HONED_DENSE) return (size_t)honed_tensor_count(t) * element;
  return (size_t)(honed_planar_lead(t) + t->dims[0] * t->image_stride + 2 * HONED_OVERREAD) * element;
}

size_t honed_tensor_data_offset(const honed_tensor *t) {
  if (t->layout == HONED_DENSE) return 0;
  return (size_t)(honed_planar_lead(t) + HONED_OVERREAD) * honed_dtype_bytes(t->dtype);
}

void honed_planar_fill_lead(honed_tensor *t) {
  const size_t bytes = (size_t)honed_planar_lead(t) * honed_dtype_bytes(t->dtype);
  memset((char *)t->data - bytes, t->dtype == HONED_U8 ? t->zero_point : 0, bytes);
}

int64_t honed_planar_extent(const honed_tensor *t) {
  if (t->dims[2] == 0 || t->dims[3] == 0) return 0;
  return (t->dims[2] - 1) * t->row_stride + t->dims[3];
}

bool honed_tensor_same_places(const honed_tensor *a, const honed_tensor *b) {
  if (a->dtype != b->dtype || a->layout != b->layout || a->rank != b->rank || memcmp(a->dims, b->dims, sizeof a->dims) != 0) return false;
  return a->layout == HONED_DENSE || (a->row_stride == b->row_stride && a->plane_stride == b->plane_stride);
}

void honed_tensor_describe(const honed_tensor *t, char *out, size_t out_bytes) {
  int used = snprintf(out, out_bytes, "%s %s [", honed_dtype_name(t->dtype), t->layout == HONED_PLANAR ? "planar" : "dense");
  for (int i = 0; i < t->rank && used >= 0 && (size_t)used < out_bytes; i++) {
    used += snprintf(out + used, out_bytes - (size_t)used, "%s%lld", i > 0 ? "," : "", (long long)t->dims[i]);
  }
  if (used >= 0 && (size_t)used < out_bytes) snprintf(out + used, out_bytes - (size_t)used, "]");
}
