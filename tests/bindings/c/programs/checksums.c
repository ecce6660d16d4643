/* All variants of the checksum agree, at every length and alignment. */
#include "base/crc32c.h"

#include "check.h"

int main(void) {
  unsigned char bytes[300];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 37 + 11);
  for (size_t start = 0; start < 9; start++) {
    for (size_t length = 0; start + length <= sizeof bytes; length++) {
      const uint32_t portable = honed_crc32c_update__portable(0x12345678, bytes + start, length);
#if defined(__x86_64__)
      if (__builtin_cpu_supports("sse4.2")) CHECK(honed_crc32c_update__sse42(0x12345678, bytes + start, length) == portable);
#endif
      CHECK(length == 0 || portable != 0x12345678);
    }
  }
  CHECK(~honed_crc32c_update__portable(~(uint32_t)0, (const unsigned char *)"123456789", 9) == 0xE3069283u);
  return 0;
}
