#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { alignment = 64 };

void *honed_aligned_alloc(size_t bytes) {
  if (bytes > SIZE_MAX - alignment) return NULL;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
}

void honed_memory_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

honed_status honed_arena_alloc(honed_arena *arena, size_t bytes, void **out, honed_context *ctx) {
  /* The first 64 bytes of a block hold the link to the next. */
  void **block = bytes > SIZE_MAX - alignment ? NULL : honed_aligned_alloc(bytes + alignment);
  if (block == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %zu bytes", bytes);
  *block = arena->first;
  arena->first = block;
  *out = (char *)block + alignment;
  return HONED_OK;
}

void honed_arena_clear(honed_arena *arena) {
  while (arena->first != NULL) {
    void *next = *(void **)arena->first;
    free(arena->first);
    arena->first = next;
  }
}
