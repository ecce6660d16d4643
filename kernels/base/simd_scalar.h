/* Vectors of one element: what simd_avx2.h and simd_avx512.h say eight and sixteen at a time, for any CPU.
 *
 * A kernel that is the same for every instruction set is written once over these names, in a header that each ISA file includes
 * after one of the three simd headers. Every operation gives the same bits in all three.
 *
 *   vf  VF_LANES floats      vi  as many s32      vm  as many truth values      vb  VB_LANES bytes (u8)
 *
 * *_part loads and stores handle the first n lanes, 0 < n < lanes; a partial load sets the others to 0.
 * vf_max(a, b) is a > b ? a : b and vf_min(a, b) is a < b ? a : b, so that NaN in either gives b. */
#ifndef HONED_BASE_SIMD_H
#define HONED_BASE_SIMD_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { VF_LANES = 1, VB_LANES = 1 };
typedef float vf;
typedef int32_t vi;
typedef bool vm;
typedef uint8_t vb;

static inline vf vf_set1(float x) { return x; }
static inline vf vf_load(const float *p) { return *p; }
/* Keeps the compiler from reading memory again wherever the vector is used. */
static inline vf vf_load_once(const float *p) { return *p; }
static inline vf vf_load_part(const float *p, int64_t n) { return n > 0 ? *p : 0.0f; }
/* Lanes [first, last) of a vector at p, 0 elsewhere; reads no other element. 0 <= first <= last <= lanes. */
static inline vf vf_load_lanes(const float *p, int64_t first, int64_t last) { return first < last ? *p : 0.0f; }
/* Lanes whose bit is set, 0 elsewhere; reads no other element. */
static inline vf vf_load_where(const float *p, uint32_t bits) { return bits & 1 ? *p : 0.0f; }
static inline void vf_store(float *p, vf a) { *p = a; }
static inline void vf_store_part(float *p, vf a, int64_t n) {
  if (n > 0) *p = a;
}

static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_fma(vf a, vf b, vf c) { return fmaf(a, b, c); }
/* Of all lanes: its halves are added, then the halves of that, and so on. */
static inline float vf_sum(vf a) { return a; }
static inline vf vf_max(vf a, vf b) { return a > b ? a : b; }
static inline vf vf_min(vf a, vf b) { return a < b ? a : b; }
static inline vf vf_sqrt(vf a) { return sqrtf(a); }
static inline vf vf_rint(vf a) { return rintf(a); }
static inline vf vf_floor(vf a) { return floorf(a); }
static inline vf vf_ceil(vf a) { return ceilf(a); }

static inline vm vf_lt(vf a, vf b) { return a < b; }
static inline vm vf_eq(vf a, vf b) { return a == b; }
static inline vf vf_select(vm m, vf a, vf b) { return m ? a : b; }
static inline bool vm_any(vm m) { return m; }

static inline vi vf_bits(vf a) {
  vi bits;
  memcpy(&bits, &a, sizeof bits);
  return bits;
}
static inline vf vi_bits(vi a) {
  vf value;
  memcpy(&value, &a, sizeof value);
  return value;
}

/* The elements at even places of a followed by b. */
static inline vf vf_even(vf a, vf b) { return (void)b, a; }
static inline vi vi_even(vi a, vi b) { return (void)b, a; }
/* Those at odd places. */
static inline vf vf_odd(vf a, vf b) { return (void)a, b; }
/* The elements of a but the first, then x. */
static inline vf vf_shift_in(vf a, float x) { return (void)a, x; }
/* vf_even, vf_odd and vf_shift_in in the order of lanes that costs the least; vf_unmix gives back theirs. */
static inline vf vf_even_mixed(vf a, vf b) { return vf_even(a, b); }
static inline vf vf_odd_mixed(vf a, vf b) { return vf_odd(a, b); }
static inline vf vf_shift_in_mixed(vf a, const float *x) { return vf_shift_in(a, *x); }
static inline vf vf_unmix(vf a) { return a; }
/* a and b in turn, element by element: the first half, and the second. */
static inline vf vf_zip_lo(vf a, vf b) { return (void)b, a; }
static inline vf vf_zip_hi(vf a, vf b) { return (void)a, b; }
static inline vb vb_even(vb a, vb b) { return (void)b, a; }

/* To nearest, ties to even; INT32_MIN where that does not fit. */
static inline vi vi_from_vf(vf a) { return a >= -2147483648.0f && a < 2147483648.0f ? (vi)rintf(a) : INT32_MIN; }
static inline vf vf_from_vi(vi a) { return (vf)a; }
static inline vi vi_set1(int32_t x) { return x; }
static inline vi vi_add(vi a, vi b) { return (vi)((uint32_t)a + (uint32_t)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((uint32_t)a - (uint32_t)b); }
static inline vi vi_mul(vi a, vi b) { return (vi)((uint32_t)a * (uint32_t)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b) { return a | b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_min(vi a, vi b) { return a < b ? a : b; }
static inline vi vi_min_unsigned(vi a, vi b) { return (uint32_t)a < (uint32_t)b ? a : b; }
static inline vm vi_eq(vi a, vi b) { return a == b; }
#define vi_shl(a, n) ((vi)((uint32_t)(a) << (n)))
#define vi_sar(a, n) ((vi)((a) >> (n)))

static inline vi vi_load(const int32_t *p) { return *p; }
/* Lane i: p[at[i]]. */
static inline vf vf_gather(const float *p, vi at) { return p[at]; }
static inline vi vi_load_part(const int32_t *p, int64_t n) { return n > 0 ? *p : 0; }
static inline void vi_store(int32_t *p, vi a) { *p = a; }
static inline void vi_store_part(int32_t *p, vi a, int64_t n) {
  if (n > 0) *p = a;
}
static inline vi vi_load_u8(const uint8_t *p) { return *p; }
static inline vi vi_load_u8_part(const uint8_t *p, int64_t n) { return n > 0 ? *p : 0; }
static inline vi vi_load_s8(const int8_t *p) { return *p; }
static inline vi vi_load_s8_part(const int8_t *p, int64_t n) { return n > 0 ? *p : 0; }
/* Stores the low byte of each lane. */
static inline void vi_store_byte(void *p, vi a) { *(uint8_t *)p = (uint8_t)a; }
static inline void vi_store_byte_part(void *p, vi a, int64_t n) {
  if (n > 0) vi_store_byte(p, a);
}

static inline vb vb_set1(uint8_t x) { return x; }
static inline vb vb_load(const uint8_t *p) { return *p; }
static inline vb vb_load_part(const uint8_t *p, int64_t n) { return n > 0 ? *p : 0; }
static inline void vb_store(uint8_t *p, vb a) { *p = a; }
static inline void vb_store_part(uint8_t *p, vb a, int64_t n) {
  if (n > 0) *p = a;
}
static inline vb vb_max(vb a, vb b) { return a > b ? a : b; }
static inline vb vb_xor(vb a, vb b) { return a ^ b; }

/* The sum of n bytes, n a multiple of 64. */
static inline int64_t vb_sum(const uint8_t *p, int64_t n) {
  int64_t sum = 0;
  for (int64_t i = 0; i < n; i++) sum += p[i];
  return sum;
}

#endif
