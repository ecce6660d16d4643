/* Large pages of memory: the system fills one in a fraction of the time that 512 small ones take. */
#ifndef HONED_BASE_PAGES_H
#define HONED_BASE_PAGES_H

#include <stddef.h>

enum { HONED_LARGE_PAGE = 2 << 20 };

static inline size_t honed_whole(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/* `bytes` rounded up to whole pages: to large ones where more than half of one is needed, else to those of `page` bytes. */
static inline size_t honed_whole_pages(size_t bytes, size_t page) {
  return honed_whole(bytes, bytes > HONED_LARGE_PAGE / 2 ? HONED_LARGE_PAGE : page);
}

/* Asks the system for large pages, which is free to give small ones; both a multiple of HONED_LARGE_PAGE. */
void honed_advise_large(void *memory, size_t bytes);

#endif
