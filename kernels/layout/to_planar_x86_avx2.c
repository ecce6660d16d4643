#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/integers.h"

/* 64 bytes from p on; `fill` in place of those before the place `begin` and from `end` on. */
typedef struct half_rows {
  __m256i lo, hi;
} half_rows;

static inline __m256i keep_between(__m256i v, __m256i place, int64_t begin, int64_t end, __m256i fill) {
  const __m256i before = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)begin), place);
  const __m256i inside = _mm256_andnot_si256(before, _mm256_cmpgt_epi8(_mm256_set1_epi8((char)end), place));
  return _mm256_blendv_epi8(fill, v, inside);
}

static inline half_rows load_between(const uint8_t *p, int64_t begin, int64_t end, __m256i fill) {
  const __m256i place = _mm256_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
                                         27, 28, 29, 30, 31);
  const __m256i lo = _mm256_loadu_si256((const __m256i *)p), hi = _mm256_loadu_si256((const __m256i *)(p + 32));
  if (begin == 0 && end == 64) return (half_rows){lo, hi};
  return (half_rows){keep_between(lo, place, begin, end, fill),
                     keep_between(hi, _mm256_add_epi8(place, _mm256_set1_epi8(32)), begin, end, fill)};
}

static inline void store_first(uint8_t *out, __m256i v, int64_t count) {
  if (count == 32) {
    _mm256_storeu_si256((__m256i *)out, v);
    return;
  }
  uint8_t bytes[32];
  _mm256_storeu_si256((__m256i *)bytes, v);
  memcpy(out, bytes, (size_t)count);
}

/* Rows of bytes: 64 of each at a time. What lies beside a row is read where it belongs to other rows. */
static inline void split_rows_in_two(const uint8_t *row, int64_t step, int64_t rows, int64_t width, int64_t pad, uint8_t *even,
                                     uint8_t *odd, int64_t count, int64_t room, uint8_t fill) {
  const __m256i fills = _mm256_set1_epi8((char)fill), low = _mm256_set1_epi16(0xff);
  for (int64_t i = 0; i < rows; i++, row += step) {
    for (int64_t j = 0; j < count; j += 32) {
      const int64_t first = 2 * j - pad, begin = first < 0 ? honed_smaller(-first, 64) : 0;
      const int64_t end = honed_larger(honed_smaller(width - first, 64), 0);
      const bool within = i * step + first >= 0 && first + 64 <= (rows - 1 - i) * step + width;
      half_rows in;
      if (within) {
        in = load_between(row + first, begin, end, fills);
      } else {
        uint8_t bytes[64];
        memset(bytes, fill, sizeof bytes);
        if (begin < end) memcpy(bytes + begin, row + (first + begin), (size_t)(end - begin));
        in = load_between(bytes, 0, 64, fills);
      }
      const __m256i evens = _mm256_packus_epi16(_mm256_and_si256(in.lo, low), _mm256_and_si256(in.hi, low));
      const __m256i odds = _mm256_packus_epi16(_mm256_srli_epi16(in.lo, 8), _mm256_srli_epi16(in.hi, 8));
      const int64_t at = i * count + j;
      /* Whole vectors where what they overwrite, of the next row, is written later. */
      const bool whole = count - j >= 32 || (i + 1 < rows && at + 32 <= room);
      const int64_t kept = whole ? 32 : count - j;
      store_first(even + at, _mm256_permute4x64_epi64(evens, 0xd8), kept);
      if (odd != NULL) store_first(odd + at, _mm256_permute4x64_epi64(odds, 0xd8), kept);
    }
  }
}
#define SPLIT_ROWS_IN_TWO_U8 split_rows_in_two

#include "to_planar_generic.h"

void honed_to_planar__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
