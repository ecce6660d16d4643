#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "code_memory.h"

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

/* The 64 bytes before a piece. */
typedef struct block {
  struct block *next;
  size_t code_bytes; /* 0: from the heap */
} block;

static void *push(honed_arena *arena, block *b, size_t code_bytes) {
  *b = (block){arena->first, code_bytes};
  arena->first = b;
  return (char *)b + alignment;
}

honed_status honed_arena_alloc(honed_arena *arena, size_t bytes, void **out, honed_context *ctx) {
  block *b = bytes > SIZE_MAX - alignment ? NULL : honed_aligned_alloc(bytes + alignment);
  if (b == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %zu bytes", bytes);
  *out = push(arena, b, 0);
  return HONED_OK;
}

void honed_arena_map_code(honed_arena *arena, size_t bytes, void **out) {
  char *code = honed_code_map(bytes);
  *out = code == NULL ? NULL : push(arena, (block *)(void *)(code - alignment), bytes);
}

bool honed_arena_seal_code(void *code) { return honed_code_seal(code, ((block *)(void *)((char *)code - alignment))->code_bytes); }

void honed_arena_clear(honed_arena *arena) {
  for (block *b = arena->first, *next; b != NULL; b = next) {
    next = b->next;
    if (b->code_bytes == 0) {
      free(b);
    } else {
      honed_code_unmap((char *)b + alignment, b->code_bytes);
    }
  }
  arena->first = NULL;
}
