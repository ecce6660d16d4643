/* Memory that is allocated piece by piece and freed at once. Pieces are aligned to 64 bytes. */
#ifndef HONED_BASE_MEMORY_H
#define HONED_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

/* What is left of the last block of one kind of memory. */
typedef struct honed_room {
  char *at, *end;
  size_t total; /* bytes of all its blocks */
} honed_room;

typedef struct honed_arena {
  void *first; /* a list of blocks */
  honed_room heap, code;
} honed_arena;

/* Uninitialised memory. A size of 0 gives a valid, unusable pointer. */
honed_status honed_arena_alloc(honed_arena *arena, size_t bytes, void **out, honed_context *ctx);
void honed_arena_clear(honed_arena *arena);

/* The same for machine code: writable until it is sealed. NULL where the system has none to give. */
void *honed_arena_map_code(honed_arena *arena, size_t bytes);

/* Makes all code so far executable and read-only; false where the system refuses. */
bool honed_arena_seal_code(honed_arena *arena);

/* 64-byte-aligned; NULL when there is no memory. Freed with free(). */
void *honed_aligned_alloc(size_t bytes);

/* Gives the system back what was freed, where the C library can do that. */
void honed_memory_trim(void);

#endif
