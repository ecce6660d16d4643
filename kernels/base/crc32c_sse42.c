#include <nmmintrin.h>
#include <pthread.h>
#include <string.h>

#include "crc32c.h"

/* The instruction takes three cycles, and one can begin in each: three stretches of equal length go side by side (Gopal et al., "Fast CRC
 * Computation for iSCSI Polynomial Using CRC32 Instruction", 2011). The state after some data is linear over GF(2) in the data and the
 * state before, so that
 *
 *   state(s, A B) = state(state(s, A), zeros as long as B) ^ state(0, B)
 *
 * after_zeros[k][b] is what STRETCH bytes of zeros make of the state b << 8k. */
enum { STRETCH = 2048 };
static uint32_t after_zeros[4][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_table(void) {
  for (int k = 0; k < 4; k++) {
    for (uint32_t b = 1; b < 256; b++) {
      uint64_t state = (uint64_t)b << (8 * k);
      if ((b & (b - 1)) != 0) {
        state = after_zeros[k][b & (b - 1)] ^ after_zeros[k][b & (~b + 1)];
      } else {
        for (int i = 0; i < STRETCH / 8; i++) state = _mm_crc32_u64(state, 0);
      }
      after_zeros[k][b] = (uint32_t)state;
    }
  }
}

static uint32_t skip(uint64_t state) {
  return after_zeros[0][state & 0xFF] ^ after_zeros[1][state >> 8 & 0xFF] ^ after_zeros[2][state >> 16 & 0xFF] ^
         after_zeros[3][state >> 24 & 0xFF];
}

static uint64_t load(const unsigned char *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

/* Three lines of the next stretches. */
static void fetch(uintptr_t line) {
  for (uintptr_t i = 0; i < 3; i++) __builtin_prefetch((const void *)(line + 64 * i));
}

uint32_t honed_crc32c_update__sse42(uint32_t state, const unsigned char *data, size_t bytes) {
  uint64_t a = state;
  if (bytes >= 3 * STRETCH) pthread_once(&once, fill_table);
  for (; bytes >= 3 * STRETCH; data += 3 * STRETCH, bytes -= 3 * STRETCH) {
    uint64_t b = 0, c = 0;
    for (int i = 0; i < STRETCH; i += 8) {
      if (i % 64 == 0) fetch((uintptr_t)(data + 3 * STRETCH + 3 * i));
      a = _mm_crc32_u64(a, load(data + i));
      b = _mm_crc32_u64(b, load(data + STRETCH + i));
      c = _mm_crc32_u64(c, load(data + 2 * STRETCH + i));
    }
    a = skip(skip(a) ^ b) ^ c;
  }
  for (; bytes >= 8; data += 8, bytes -= 8) a = _mm_crc32_u64(a, load(data));
  state = (uint32_t)a;
  for (; bytes > 0; data++, bytes--) state = _mm_crc32_u8(state, *data);
  return state;
}
