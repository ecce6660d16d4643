#include <immintrin.h>
#include <stdint.h>

/* even[j] = padded[2 j], odd[j] = padded[2 j + 1], where `padded` is the row behind `pad` elements of fill. 64 bytes of it at a time; lanes
 * outside the row are not read. What lies behind `count`, up to `room`, may be overwritten. */
static inline void split_in_two(const uint8_t *row, int64_t width, int64_t pad, uint8_t *even, uint8_t *odd, int64_t count, int64_t room,
                                uint8_t fill) {
  const __m512i fills = _mm512_set1_epi8((char)fill);
  for (int64_t j = 0; j < count; j += 32) {
    const int64_t first = 2 * j - pad; /* of the row */
    const int64_t skipped = first < 0 ? -first : 0, end = width - first < 64 ? width - first : 64;
    const uint64_t present = end <= skipped || skipped >= 64 ? 0 : (~(uint64_t)0 >> (64 - (end - skipped))) << skipped;
    const __m512i pairs = _mm512_mask_loadu_epi8(fills, present, (const void *)((uintptr_t)row + (uintptr_t)first));
    const __m256i evens = _mm512_cvtepi16_epi8(pairs), odds = _mm512_cvtepi16_epi8(_mm512_srli_epi16(pairs, 8));
    if (j + 32 <= room) {
      _mm256_storeu_si256((__m256i *)(even + j), evens);
      if (odd != NULL) _mm256_storeu_si256((__m256i *)(odd + j), odds);
    } else {
      const __mmask32 kept = count - j < 32 ? ((__mmask32)1 << (count - j)) - 1 : ~(__mmask32)0;
      _mm256_mask_storeu_epi8(even + j, kept, evens);
      if (odd != NULL) _mm256_mask_storeu_epi8(odd + j, kept, odds);
    }
  }
}
#define SPLIT_IN_TWO_U8 split_in_two

/* The same for f32: 32 elements of the row at a time. */
static inline void split_in_two_f32(const float *row, int64_t width, int64_t pad, float *even, float *odd, int64_t count, int64_t room,
                                    float fill) {
  const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
  const __m512 fills = _mm512_set1_ps(fill);
  for (int64_t j = 0; j < count; j += 16) {
    const int64_t first = 2 * j - pad;
    const int64_t skipped = first < 0 ? -first : 0, end = width - first < 32 ? width - first : 32;
    const uint32_t present = end <= skipped || skipped >= 32 ? 0 : (~(uint32_t)0 >> (32 - (end - skipped))) << skipped;
    const uintptr_t in = (uintptr_t)row + (uintptr_t)(first * (int64_t)sizeof *row);
    const __m512 lo = _mm512_mask_loadu_ps(fills, (__mmask16)present, (const void *)in);
    const __m512 hi = _mm512_mask_loadu_ps(fills, (__mmask16)(present >> 16), (const void *)(in + 64));
    const __mmask16 kept = j + 16 <= room ? 0xffff : (__mmask16)((1u << (count - j)) - 1);
    _mm512_mask_storeu_ps(even + j, kept, _mm512_permutex2var_ps(lo, evens, hi));
    if (odd != NULL) _mm512_mask_storeu_ps(odd + j, kept, _mm512_permutex2var_ps(lo, odds, hi));
  }
}
#define SPLIT_IN_TWO_F32 split_in_two_f32

#include "to_planar_generic.h"

void honed_to_planar__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
