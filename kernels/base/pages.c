#define _DEFAULT_SOURCE /* madvise */

#include "pages.h"

#ifdef __linux__
#include <sys/mman.h>

void honed_advise_large(void *memory, size_t bytes) { madvise(memory, bytes, MADV_HUGEPAGE); }
#else
void honed_advise_large(void *memory, size_t bytes) {
  (void)memory;
  (void)bytes;
}
#endif
