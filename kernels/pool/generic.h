#include <math.h>
#include <string.h>

#include "base/variant.h"
#include "pool.h"

/* Flat pixels from row_begin on that hold all valid ones up to row_end, whole vectors where the plane has room for them. */
static inline int64_t honed_pool_flat_outputs(const honed_tensor *y, int64_t row_begin, int64_t row_end) {
  const int64_t valid = (row_end - row_begin - 1) * y->row_stride + y->dims[3];
  if (row_end < y->dims[2]) return valid;
  const int64_t whole = (valid + 63) / 64 * 64, room = y->plane_stride - row_begin * y->row_stride;
  return whole < room ? whole : room;
}

#define T float
#define V vf
#define LANES VF_LANES
#define LOAD vf_load
#define STORE vf_store
#define STORE_PART vf_store_part
#define SET1 vf_set1
#define MAX vf_max
#define EVEN vf_even
#define LOWEST (-INFINITY)
#define NAME(function) function##_f32
#include "max.inc"

#define T uint8_t
#define V vb
#define LANES VB_LANES
#define LOAD vb_load
#define STORE vb_store
#define STORE_PART vb_store_part
#define SET1 vb_set1
#define MAX vb_max
#define EVEN vb_even
#define LOWEST 0
#define NAME(function) function##_u8
#include "max.inc"

#include "average.h"

const honed_pool_kernel HONED_VARIANT_SYMBOL(honed_pool_kernels)[HONED_POOL_FUNCTIONS] = {
    [HONED_POOL_MAX_F32] = {HONED_VARIANT_TEXT(honed_max_pool_f32), max_pool_f32},
    [HONED_POOL_MAX_U8] = {HONED_VARIANT_TEXT(honed_max_pool_u8), max_pool_u8},
    [HONED_POOL_AVERAGE_F32] = {HONED_VARIANT_TEXT(honed_average_pool_f32), average_pool},
    [HONED_POOL_AVERAGE_U8] = {HONED_VARIANT_TEXT(honed_average_pool_u8), average_pool},
    [HONED_POOL_GLOBAL_MAX_F32] = {HONED_VARIANT_TEXT(honed_global_max_pool_f32), global_max_pool_f32},
    [HONED_POOL_GLOBAL_MAX_U8] = {HONED_VARIANT_TEXT(honed_global_max_pool_u8), global_max_pool_u8},
    [HONED_POOL_GLOBAL_AVERAGE_F32] = {HONED_VARIANT_TEXT(honed_global_average_pool_f32), global_average_pool_f32},
    [HONED_POOL_GLOBAL_AVERAGE_U8] = {HONED_VARIANT_TEXT(honed_global_average_pool_u8), global_average_pool_u8},
};
