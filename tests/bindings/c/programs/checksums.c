/* All variants of the checksum agree, at every length and alignment, and so do checksums of pieces that are joined. */
#include "base/crc32c.h"

#include <stdlib.h>

#include "checksum.h"
#include "check.h"

static void check_variants(const unsigned char *bytes, size_t length) {
  const uint32_t portable = honed_crc32c_update__portable(0x12345678, bytes, length);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) CHECK(honed_crc32c_update__sse42(0x12345678, bytes, length) == portable);
#endif
  CHECK(length == 0 || portable != 0x12345678);
}

static void check_join(const unsigned char *bytes, size_t length, size_t cut) {
  CHECK(honed_crc32c_join(honed_crc32c(bytes, cut), honed_crc32c(bytes + cut, length - cut), length - cut) == honed_crc32c(bytes, length));
}

static void check_threads(const unsigned char *bytes, size_t most) {
  static const size_t lengths[] = {0, 1, 1 << 20, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, (5 << 20) + 7, (65 << 20) + 3};
  for (size_t threads = 1; threads <= 3; threads++) {
    honed_thread_pool *pool = NULL;
    honed_context ctx;
    CHECK(honed_thread_pool_new(threads, &pool, &ctx) == HONED_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
      CHECK(lengths[i] <= most && honed_checksum(pool, bytes, lengths[i]) == honed_crc32c(bytes, lengths[i]));
    }
    honed_thread_pool_delete(pool);
  }
}

int main(void) {
  enum { most = 66 << 20 };
  unsigned char *bytes = malloc(most);
  CHECK(bytes != NULL);
  unsigned state = 11;
  for (size_t i = 0; i < most; i++, state = state * 1664525u + 1013904223u) bytes[i] = (unsigned char)(state >> 24);
  for (size_t start = 0; start < 9; start++) {
    for (size_t length = 0; length <= 300; length++) check_variants(bytes + start, length);
  }
  for (size_t length = 6000; length < 60000; length += 997) { /* the variants take long data otherwise */
    check_variants(bytes + length % 7, length);
    check_join(bytes, length, length / 3);
  }
  check_join(bytes, 100, 0);
  check_join(bytes, 100, 100);
  check_threads(bytes, most);
  CHECK(~honed_crc32c_update__portable(~(uint32_t)0, (const unsigned char *)"123456789", 9) == 0xE3069283u);
  free(bytes);
  return 0;
}
