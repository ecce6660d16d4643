/* Writes every instruction of base/x86_code.h to the standard output, as bytes, with all registers and with short and long distances. */
#include "base/x86_code.h"

#include <stdio.h>

#include "check.h"

static uint8_t bytes[1 << 16] __attribute__((aligned(64)));

static const x86_register bases[] = {X86_RAX, X86_RDI, X86_RSI, X86_RDX, X86_RCX, X86_R8, X86_R9};
static const int32_t distances[] = {0, 4, -4, 64, 508, -512, 512, 8128, -8192, 8192, 8190, 1 << 30, -(1 << 30)};

static void write_all(x86_code *c) {
  x86_begin(c);
  x86_load_seventh(c);
  for (int b = 0; b < 7; b++) {
    x86_add(c, bases[b], 1024);
    for (int k = 1; k < 8; k++) x86_load_mask(c, k, bases[b], (int8_t)(2 * k));
    for (int d = 0; d < 13; d++) {
      const x86_memory m = {bases[b], distances[d]};
      x86_prefetch(c, m);
      c->at = x86_put_load(c->at, x86_load_head(4 * b + 3, bases[b], d % 8), distances[d]);
      x86_store(c, 31 - b, m);
      x86_broadcast(c, 2 * b + d, m);
      c->at = x86_put_fma_one(c->at, x86_fma_one_head(30 - 2 * d, 4 * b + 5, bases[b]), (int8_t)(20 * d - 128));
      x86_add_floats(c, 31 - 2 * d, m);
    }
  }
  for (int i = 0; i < 32; i++) {
    x86_max(c, i, 31 - i);
    x86_min(c, i, (i + 9) % 32, i % 8);
  }
  x86_return(c);
}

static void leaves_out_what_finds_no_room(void) {
  uint8_t few[20] = {0};
  x86_code c = {few, few + 16, false};
  x86_return(&c);
  x86_store(&c, 1, (x86_memory){X86_RDI, 1 << 20});
  CHECK(!c.full && c.at == few + 14);
  x86_max(&c, 1, 2);
  CHECK(c.full && c.at == few + 14 && few[16] == 0);
  x86_return(&c); /* there would be room for nothing after that either */
  CHECK(c.at == few + 14 && x86_reserve(&c, 1) == NULL);
}

int main(void) {
  leaves_out_what_finds_no_room();
  x86_code c = {bytes, bytes + sizeof bytes, false};
  write_all(&c);
  CHECK(!c.full);
  fwrite(bytes, 1, (size_t)(c.at - bytes), stdout);
  return 0;
}
