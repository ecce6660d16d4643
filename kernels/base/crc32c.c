#include "crc32c.h"

#include <pthread.h>

/* Slicing-by-8 (Kounavis and Berry, "A Systematic Approach to Building High Performance Software-based CRC Generators", 2005):
 * table[k][b] is the state after the byte b and k zero bytes. */
static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The polynomial `state` times x, modulo CRC-32C's: the bit of x^i is bit 31 - i. */
static uint32_t times_x(uint32_t state) { return (state >> 1) ^ (state & 1 ? 0x82F63B78u : 0); }

static void fill_table(void) {
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t state = b;
    for (int bit = 0; bit < 8; bit++) state = times_x(state);
    table[0][b] = state;
  }
  for (int k = 1; k < 8; k++) {
    for (int b = 0; b < 256; b++) table[k][b] = (table[k - 1][b] >> 8) ^ table[0][table[k - 1][b] & 0xFF];
  }
}

uint32_t honed_crc32c_update__portable(uint32_t state, const unsigned char *data, size_t bytes) {
  pthread_once(&once, fill_table);
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint32_t next = 0;
    for (int k = 0; k < 4; k++) next ^= table[7 - k][((state >> (8 * k)) ^ data[k]) & 0xFF];
    for (int k = 4; k < 8; k++) next ^= table[7 - k][data[k]];
    state = next;
  }
  for (; bytes > 0; data++, bytes--) state = (state >> 8) ^ table[0][(state ^ *data) & 0xFF];
  return state;
}

uint32_t honed_crc32c_extend(uint32_t before, const void *data, size_t bytes) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~honed_crc32c_update__sse42(~before, data, bytes);
#endif
  return ~honed_crc32c_update__portable(~before, data, bytes);
}

uint32_t honed_crc32c(const void *data, size_t bytes) { return honed_crc32c_extend(0, data, bytes); }

static uint32_t times(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = (uint32_t)1 << 31; bit != 0; bit >>= 1, b = times_x(b)) {
    if (a & bit) product ^= b;
  }
  return product;
}

/* Zeros behind data multiply its state by x per bit, and are what the second piece's bits are added to; all ones before and behind cancel.
 */
uint32_t honed_crc32c_join(uint32_t first, uint32_t second, uint64_t second_bytes) {
  uint32_t zeros = (uint32_t)1 << 31, power = (uint32_t)1 << 23; /* 1 and x^8, to the power 2^i */
  for (uint64_t left = second_bytes; left != 0; left >>= 1, power = times(power, power)) {
    if (left & 1) zeros = times(zeros, power);
  }
  return times(zeros, first) ^ second;
}
