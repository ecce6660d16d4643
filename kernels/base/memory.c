#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "code_memory.h"
#include "pages.h"

enum { alignment = 64, small_block = 4096, most_again = 4 * HONED_LARGE_PAGE - small_block };

void *honed_aligned_alloc(size_t bytes) {
  if (bytes > SIZE_MAX - alignment) return NULL;
  const size_t rounded = honed_whole(bytes, alignment);
  return aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
}

void honed_memory_trim(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

/* The 64 bytes before a block. */
typedef struct block {
  struct block *next;
  size_t code_bytes; /* 0: from the heap */
  bool sealed;
} block;

static void push(honed_arena *arena, honed_room *room, block *b, size_t bytes, size_t code_bytes) {
  *b = (block){arena->first, code_bytes, false};
  arena->first = b;
  room->at = (char *)b + alignment;
  room->end = room->at + bytes;
  room->total += bytes;
}

static bool has_room(const honed_room *room, size_t bytes) { return room->at != NULL && (size_t)(room->end - room->at) >= bytes; }

static void *take(honed_room *room, size_t bytes) {
  void *piece = room->at;
  room->at += bytes;
  return piece;
}

/* How large a block to add for a piece: as much again as there is, up to a bound, so that many pieces take few blocks. */
static size_t block_size(const honed_room *room, size_t piece) {
  const size_t again = room->total < most_again ? room->total : most_again;
  return piece > again ? piece : again;
}

static bool add_heap_block(honed_arena *arena, size_t piece) {
#ifdef __SANITIZE_ADDRESS__
  const size_t whole = alignment + piece; /* a block for each piece, whose ends are watched */
#else
  const size_t whole = honed_whole_pages(alignment + block_size(&arena->heap, piece), small_block);
#endif
  const bool large = whole % HONED_LARGE_PAGE == 0;
  block *b = large ? aligned_alloc(HONED_LARGE_PAGE, whole) : honed_aligned_alloc(whole);
  if (b == NULL) return false;
  if (large) honed_advise_large(b, whole);
  push(arena, &arena->heap, b, whole - alignment, 0);
  return true;
}

honed_status honed_arena_alloc(honed_arena *arena, size_t bytes, void **out, honed_context *ctx) {
  const size_t piece = bytes == 0 ? alignment : honed_whole(bytes, alignment);
  if (bytes > SIZE_MAX / 4 || (!has_room(&arena->heap, piece) && !add_heap_block(arena, piece))) {
    return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %zu bytes", bytes);
  }
  *out = take(&arena->heap, piece);
  return HONED_OK;
}

static bool add_code_block(honed_arena *arena, size_t piece) {
  size_t bytes = block_size(&arena->code, piece);
  char *code = honed_code_map(&bytes);
  if (code == NULL) return false;
  push(arena, &arena->code, (block *)(void *)(code - alignment), bytes, bytes);
  return true;
}

void *honed_arena_map_code(honed_arena *arena, size_t bytes) {
  const size_t piece = honed_whole(bytes, alignment);
  if (bytes > SIZE_MAX / 4 || (!has_room(&arena->code, piece) && !add_code_block(arena, piece))) return NULL;
  return take(&arena->code, piece);
}

bool honed_arena_seal_code(honed_arena *arena) {
  bool sealed = true;
  for (block *b = arena->first; b != NULL; b = b->next) {
    if (b->code_bytes == 0 || b->sealed) continue;
    b->sealed = honed_code_seal((char *)b + alignment, b->code_bytes);
    sealed = sealed && b->sealed;
  }
  arena->code.at = arena->code.end;
  return sealed;
}

void honed_arena_clear(honed_arena *arena) {
  for (block *b = arena->first, *next; b != NULL; b = next) {
    next = b->next;
    if (b->code_bytes == 0) {
      free(b);
    } else {
      honed_code_unmap((char *)b + alignment, b->code_bytes);
    }
  }
  *arena = (honed_arena){0};
}
