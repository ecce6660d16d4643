#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "code_memory.h"

#include <stdatomic.h>
#include <stdint.h>

#include "pages.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/mman.h>

enum { page = 4096 };

static char *map(size_t bytes, int flags) {
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

/* Large pages, aligned to them. */
static char *map_large(size_t bytes) {
  char *memory = map(bytes + HONED_LARGE_PAGE, 0);
  if (memory == NULL) return NULL;
  const size_t before = honed_whole((uintptr_t)memory, HONED_LARGE_PAGE) - (uintptr_t)memory;
  if (before > 0) munmap(memory, before);
  if (before < HONED_LARGE_PAGE) munmap(memory + before + bytes, HONED_LARGE_PAGE - before);
  honed_advise_large(memory + before, bytes);
  return memory + before;
}

void *honed_code_map(size_t *bytes) {
  if (*bytes == 0 || *bytes > SIZE_MAX / 2) return NULL;
  const size_t whole = honed_whole_pages(page + *bytes, page);
  char *memory = whole % HONED_LARGE_PAGE == 0 ? map_large(whole) : map(whole, MAP_POPULATE);
  if (memory == NULL) return NULL;
  *bytes = whole - page;
  return memory + page;
}

bool honed_code_seal(void *code, size_t bytes) { return mprotect(code, bytes, PROT_READ | PROT_EXEC) == 0; }

void honed_code_unmap(void *code, size_t bytes) { munmap((char *)code - page, page + bytes); }

static bool ask(void) {
  size_t bytes = page;
  void *code = honed_code_map(&bytes);
  if (code == NULL) return false;
  const bool sealed = honed_code_seal(code, bytes);
  honed_code_unmap(code, bytes);
  return sealed;
}
#else
void *honed_code_map(size_t *bytes) {
  (void)bytes;
  return NULL;
}

bool honed_code_seal(void *code, size_t bytes) {
  (void)code;
  (void)bytes;
  return false;
}

void honed_code_unmap(void *code, size_t bytes) {
  (void)code;
  (void)bytes;
}

static bool ask(void) { return false; }
#endif

bool honed_code_allowed(void) {
  static atomic_int answer; /* 0: not yet asked */
  int known = atomic_load_explicit(&answer, memory_order_relaxed);
  if (known == 0) {
    known = ask() ? 1 : -1;
    atomic_store_explicit(&answer, known, memory_order_relaxed);
  }
  return known > 0;
}
