#include <nmmintrin.h>
#include <string.h>

#include "crc32c.h"

static uint64_t load(const unsigned char *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

uint32_t honed_crc32c_update__sse42(uint32_t state, const unsigned char *data, size_t bytes) {
  uint64_t wide = state;
  for (; bytes >= 8; data += 8, bytes -= 8) wide = _mm_crc32_u64(wide, load(data));
  state = (uint32_t)wide;
  for (; bytes > 0; data++, bytes--) state = _mm_crc32_u8(state, *data);
  return state;
}
