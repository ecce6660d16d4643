/* Plans for random pieces: those in use together lie apart, aligned, within the buffer; and some plans with known totals. */
#include "memory_plan.h"

#include "check.h"

static unsigned state = 1;

static unsigned next(unsigned bound) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % bound;
}

static size_t plan(honed_piece *pieces, size_t count) {
  honed_context ctx;
  size_t total = 0;
  CHECK(honed_memory_plan(pieces, count, &total, &ctx) == HONED_OK);
  for (size_t i = 0; i < count; i++) {
    const honed_piece *a = &pieces[i];
    CHECK(a->offset % 64 == 0 && a->bytes % 64 == 0 && a->offset + a->bytes <= total);
    for (size_t j = 0; j < i; j++) {
      const honed_piece *b = &pieces[j];
      const int together = a->first <= b->last && b->first <= a->last;
      CHECK(!together || a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset);
    }
  }
  return total;
}

int main(void) {
  CHECK(plan(NULL, 0) == 0);
  honed_piece chain[] = {{100, 0, 1, 0}, {100, 1, 2, 0}, {100, 2, 3, 0}, {100, 3, 4, 0}};
  CHECK(plan(chain, 4) == 256); /* two at a time, of 128 bytes each */
  honed_piece residual[] = {{64, 0, 3, 0}, {640, 0, 1, 0}, {640, 2, 3, 0}, {64, 1, 2, 0}};
  CHECK(plan(residual, 4) == 768);
  for (int round = 0; round < 300; round++) {
    honed_piece pieces[40];
    const size_t count = 1 + next(40);
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) {
      const unsigned first = next(30);
      pieces[i] = (honed_piece){next(5000), first, first + next(6), SIZE_MAX};
      sum += (pieces[i].bytes + 63) / 64 * 64;
    }
    CHECK(plan(pieces, count) <= sum);
  }
  honed_context ctx;
  size_t total = 0;
  honed_piece huge[] = {{SIZE_MAX / 4, 0, 0, 0}, {SIZE_MAX / 4, 1, 1, 0}, {SIZE_MAX / 4, 2, 2, 0}};
  CHECK(honed_memory_plan(huge, 3, &total, &ctx) == HONED_OUT_OF_MEMORY);
  return 0;
}
