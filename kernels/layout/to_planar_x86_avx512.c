#include <immintrin.h>
#include <stdint.h>

#include "base/integers.h"

/* Which of 64 bytes, the first of them at `first`, lie in a row of `width` bytes. */
static inline uint64_t bytes_inside(int64_t first, int64_t width) {
  const int64_t skipped = first < 0 ? -first : 0, end = width - first < 64 ? width - first : 64;
  return end <= skipped || skipped >= 64 ? 0 : (~(uint64_t)0 >> (64 - (end - skipped))) << skipped;
}

/* Rows of bytes: 64 of each at a time; those outside the row are not read. */
static inline void split_rows_in_two(const uint8_t *row, int64_t step, int64_t rows, int64_t width, int64_t pad, uint8_t *even,
                                     uint8_t *odd, int64_t count, int64_t room, uint8_t fill) {
  const __m512i fills = _mm512_set1_epi8((char)fill);
  for (int64_t j = 0; j < count; j += 32) {
    const uint64_t present = bytes_inside(2 * j - pad, width);
    /* Whole vectors where what they overwrite, of the next row, is written later. */
    const int64_t whole = count > 32 ? 0 : honed_smaller(rows, room >= 32 ? (room - 32) / count + 1 : 0);
    const __mmask32 kept = count - j < 32 ? ((__mmask32)1 << (count - j)) - 1 : ~(__mmask32)0;
    uintptr_t in = (uintptr_t)row + (uintptr_t)(2 * j - pad);
    for (int64_t i = 0; i < rows; i++, in += (uintptr_t)step) {
      const __m512i pairs = _mm512_mask_loadu_epi8(fills, present, (const void *)in);
      const __m256i evens = _mm512_cvtepi16_epi8(pairs), odds = _mm512_cvtepi16_epi8(_mm512_srli_epi16(pairs, 8));
      const int64_t at = i * count + j;
      if (i < whole) {
        _mm256_storeu_si256((__m256i *)(even + at), evens);
        if (odd != NULL) _mm256_storeu_si256((__m256i *)(odd + at), odds);
      } else {
        _mm256_mask_storeu_epi8(even + at, kept, evens);
        if (odd != NULL) _mm256_mask_storeu_epi8(odd + at, kept, odds);
      }
    }
  }
}
#define SPLIT_ROWS_IN_TWO_U8 split_rows_in_two

/* Rows of floats: 32 of each at a time. */
static inline void split_rows_in_two_f32(const float *row, int64_t step, int64_t rows, int64_t width, int64_t pad, float *even, float *odd,
                                         int64_t count, int64_t room, float fill) {
  const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odds = _mm512_add_epi32(evens, _mm512_set1_epi32(1));
  const __m512 fills = _mm512_set1_ps(fill);
  (void)room;
  for (int64_t j = 0; j < count; j += 16) {
    const uint32_t present = (uint32_t)bytes_inside(2 * j - pad, honed_smaller(width, 2 * j - pad + 32));
    const __mmask16 kept = count - j < 16 ? (__mmask16)((1u << (count - j)) - 1) : 0xffff;
    uintptr_t in = (uintptr_t)row + (uintptr_t)((2 * j - pad) * (int64_t)sizeof *row);
    for (int64_t i = 0; i < rows; i++, in += (uintptr_t)(step * (int64_t)sizeof *row)) {
      const __m512 lo = _mm512_mask_loadu_ps(fills, (__mmask16)present, (const void *)in);
      const __m512 hi = _mm512_mask_loadu_ps(fills, (__mmask16)(present >> 16), (const void *)(in + 64));
      const int64_t at = i * count + j;
      _mm512_mask_storeu_ps(even + at, kept, _mm512_permutex2var_ps(lo, evens, hi));
      if (odd != NULL) _mm512_mask_storeu_ps(odd + at, kept, _mm512_permutex2var_ps(lo, odds, hi));
    }
  }
}
#define SPLIT_ROWS_IN_TWO_F32 split_rows_in_two_f32

#include "to_planar_generic.h"

void honed_to_planar__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
