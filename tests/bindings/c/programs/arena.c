/* Pieces of an arena, of many sizes and of both kinds in turn: aligned, apart from each other, and usable until the arena is cleared; code
 * is executable once it is sealed, and not before. */
#include "base/memory.h"

#include <stdint.h>

#include "base/code_memory.h"
#include "check.h"

enum { pieces = 400 };

static unsigned state = 1;

static size_t next_size(void) {
  static const size_t most[] = {1, 100, 5000, 60000, 700000};
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % most[state >> 5 & 3] + (state % 97 == 0 ? most[4] : 0);
}

static void fill(unsigned char *piece, size_t bytes, int index) {
  for (size_t i = 0; i < bytes; i++) piece[i] = (unsigned char)(index + i / 64);
}

static void check(const unsigned char *piece, size_t bytes, int index) {
  for (size_t i = 0; i < bytes; i++) CHECK(piece[i] == (unsigned char)(index + i / 64));
}

static void use(honed_arena *arena) {
  unsigned char *piece[pieces];
  size_t bytes[pieces];
  const bool has_code = honed_code_allowed();
  honed_context ctx;
  for (int i = 0; i < pieces; i++) {
    bytes[i] = next_size();
    if (i % 3 == 0 && has_code) {
      piece[i] = honed_arena_map_code(arena, ++bytes[i]);
    } else {
      void *memory = NULL;
      CHECK(honed_arena_alloc(arena, bytes[i], &memory, &ctx) == HONED_OK);
      piece[i] = memory;
    }
    CHECK(piece[i] != NULL && (uintptr_t)piece[i] % 64 == 0);
    fill(piece[i], bytes[i], i);
    /* What follows is still written. */
    if (i % 60 == 0) CHECK(honed_arena_seal_code(arena));
  }
  for (int i = 0; i < pieces; i++) check(piece[i], bytes[i], i);
}

static void run_code(honed_arena *arena) {
  static const unsigned char mov_eax_ret[] = {0xb8, 42, 0, 0, 0, 0xc3};
  for (int i = 0; i < 3; i++) {
    void *code = honed_arena_map_code(arena, sizeof mov_eax_ret);
    int (*function)(void);
    memcpy(code, mov_eax_ret, sizeof mov_eax_ret);
    CHECK(honed_arena_seal_code(arena));
    memcpy(&function, &code, sizeof function);
    CHECK(function() == 42);
  }
}

int main(void) {
  honed_arena arena = {0};
  honed_context ctx;
  void *memory = NULL;
  for (int round = 0; round < 3; round++) {
    use(&arena);
    if (honed_code_allowed()) run_code(&arena);
    CHECK(honed_arena_alloc(&arena, SIZE_MAX - 1, &memory, &ctx) == HONED_OUT_OF_MEMORY);
    CHECK(honed_arena_alloc(&arena, SIZE_MAX / 8, &memory, &ctx) == HONED_OUT_OF_MEMORY);
    CHECK(honed_arena_map_code(&arena, SIZE_MAX - 1) == NULL && honed_arena_map_code(&arena, SIZE_MAX / 8) == NULL);
    honed_arena_clear(&arena);
    CHECK(arena.first == NULL);
  }
  return 0;
}
