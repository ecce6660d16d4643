#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "code_memory.h"

#include <stdatomic.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/mman.h>

enum { page = 4096 };

static size_t whole_pages(size_t bytes) { return (bytes + page - 1) / page * page; }

void *honed_code_map(size_t bytes) {
  if (bytes == 0 || bytes > SIZE_MAX - 2 * page) return NULL;
  char *memory = mmap(NULL, page + whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory + page;
}

bool honed_code_seal(void *code, size_t bytes) { return mprotect(code, whole_pages(bytes), PROT_READ | PROT_EXEC) == 0; }

void honed_code_unmap(void *code, size_t bytes) { munmap((char *)code - page, page + whole_pages(bytes)); }

static bool ask(void) {
  void *code = honed_code_map(page);
  if (code == NULL) return false;
  const bool sealed = honed_code_seal(code, page);
  honed_code_unmap(code, page);
  return sealed;
}
#else
void *honed_code_map(size_t bytes) {
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
