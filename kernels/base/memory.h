/* Memory that is allocated piece by piece and freed at once. Pieces are aligned to 64 bytes. */
#ifndef HONED_BASE_MEMORY_H
#define HONED_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

typedef struct honed_arena {
  void *first; /* a list of blocks */
} honed_arena;

/* Uninitialised memory. A size of 0 gives a valid, unusable pointer. */
honed_status honed_arena_alloc(honed_arena *arena, size_t bytes, void **out, honed_context *ctx);
void honed_arena_clear(honed_arena *arena);

/* The same for machine code: writable until it is sealed. *out is NULL where the system has none to give. */
void honed_arena_map_code(honed_arena *arena, size_t bytes, void **out);
/* Makes it executable and read-only; false where the system refuses. */
bool honed_arena_seal_code(void *code);

/* 64-byte-aligned; NULL when there is no memory. Freed with free(). */
void *honed_aligned_alloc(size_t bytes);

/* Gives the system back what was freed, where the C library can do that. */
void honed_memory_trim(void);

#endif
