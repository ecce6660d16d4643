#include "x86_code.h"

enum {
  map_0f = 1,
  map_0f38 = 2,
  no_prefix = 0,
  prefix_66 = 1,
  mod_distance_8 = 0x40,
  mod_distance_32 = 0x80,
  mod_register = 0xc0,
};

static void put_bytes(x86_code *c, const void *bytes, int count) {
  if (c->full || c->end - c->at < count) {
    c->full = true;
    return;
  }
  memcpy(c->at, bytes, (size_t)count);
  c->at += count;
}

/* An instruction on 512 bits: map, prefix and code name it; one: its memory operand is one float for all lanes. */
typedef struct operation {
  uint8_t map, prefix, code;
  bool one;
} operation;

/* The four bytes before the operand's: EVEX, R X B R' m m m | W v v v v 1 p p | z L' L b V' a a a, register numbers inverted. */
static int begin_evex(uint8_t out[], operation o, int reg, int second, bool rm3, bool rm4, int k) {
  out[0] = 0x62;
  out[1] = (uint8_t)((reg & 8 ? 0 : 0x80) | (rm4 ? 0 : 0x40) | (rm3 ? 0 : 0x20) | (reg & 16 ? 0 : 0x10) | o.map);
  out[2] = (uint8_t)((~second & 15) << 3 | 4 | o.prefix);
  out[3] = (uint8_t)((k != 0 ? 0x80 : 0) | 2 << 5 | (o.one ? 0x10 : 0) | (second & 16 ? 0 : 8) | k);
  out[4] = o.code;
  return 5;
}

static void put_memory(x86_code *c, operation o, int reg, int second, x86_memory m, int unit, int k) {
  uint8_t out[X86_LONGEST] = {0};
  int count = begin_evex(out, o, reg, second, (m.base & 8) != 0, false, k);
  const uint8_t operands = (uint8_t)((reg & 7) << 3 | (m.base & 7));
  const int32_t units = m.distance / unit; /* short distances are counted in units of the operand */
  if (m.distance % unit == 0 && units >= -128 && units <= 127) {
    out[count++] = mod_distance_8 | operands;
    out[count++] = (uint8_t)units;
  } else {
    out[count++] = mod_distance_32 | operands;
    memcpy(out + count, &m.distance, sizeof m.distance);
    count += (int)sizeof m.distance;
  }
  if (!c->full && c->end - c->at >= X86_LONGEST) {
    memcpy(c->at, out, X86_LONGEST); /* what is too much is written over */
    c->at += count;
  } else {
    put_bytes(c, out, count);
  }
}

static void put_registers(x86_code *c, operation o, int reg, int second, int third, int k) {
  uint8_t out[X86_LONGEST];
  int count = begin_evex(out, o, reg, second, (third & 8) != 0, (third & 16) != 0, k);
  out[count++] = (uint8_t)(mod_register | (reg & 7) << 3 | (third & 7));
  put_bytes(c, out, count);
}

void x86_align(x86_code *c) {
  const uint8_t int3 = 0xcc;
  while (!c->full && (uintptr_t)c->at % 64 != 0) put_bytes(c, &int3, 1);
}

void *x86_reserve(x86_code *c, int64_t bytes) {
  if (c->full || c->end - c->at < bytes) {
    c->full = true;
    return NULL;
  }
  void *data = c->at;
  c->at += bytes;
  return data;
}

void x86_begin(x86_code *c) {
  static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
  put_bytes(c, endbr64, sizeof endbr64);
}

void x86_return(x86_code *c) {
  static const uint8_t vzeroupper_ret[] = {0xc5, 0xf8, 0x77, 0xc3};
  put_bytes(c, vzeroupper_ret, sizeof vzeroupper_ret);
}

void x86_add(x86_code *c, x86_register r, int32_t bytes) {
  uint8_t out[7] = {r & 8 ? 0x49 : 0x48, 0x81, (uint8_t)(mod_register | (r & 7))};
  memcpy(out + 3, &bytes, sizeof bytes);
  put_bytes(c, out, sizeof out);
}

void x86_load_seventh(x86_code *c) {
  static const uint8_t mov_rax_stack[] = {0x48, 0x8b, 0x44, 0x24, 0x08};
  put_bytes(c, mov_rax_stack, sizeof mov_rax_stack);
}

void x86_prefetch(x86_code *c, x86_memory from) {
  uint8_t out[8] = {from.base & 8 ? 0x41 : 0x40, 0x0f, 0x18, (uint8_t)(mod_distance_32 | 2 << 3 | (from.base & 7))};
  memcpy(out + 4, &from.distance, sizeof from.distance);
  put_bytes(c, out, sizeof out);
}

void x86_load_mask(x86_code *c, int k, x86_register base, int8_t distance) {
  const uint8_t out[] = {0xc4, base & 8 ? 0xc1 : 0xe1, 0x78, 0x90, (uint8_t)(mod_distance_8 | k << 3 | (base & 7)), (uint8_t)distance};
  put_bytes(c, out, sizeof out);
}

/* As put_memory, up to the distance; mod: how long that is. */
static uint64_t head_of(operation o, uint8_t mod, int reg, int second, x86_register base, int k) {
  uint8_t out[sizeof(uint64_t)] = {0};
  const int count = begin_evex(out, o, reg, second, (base & 8) != 0, false, k);
  out[count] = (uint8_t)(mod | (reg & 7) << 3 | (base & 7));
  uint64_t head;
  memcpy(&head, out, sizeof head);
  return head;
}

uint64_t x86_load_head(int zmm, x86_register base, int k) {
  return head_of((operation){map_0f, no_prefix, 0x10, false}, mod_distance_32, zmm, 0, base, k);
}

uint64_t x86_fma_one_head(int sum, int zmm, x86_register base) {
  return head_of((operation){map_0f38, prefix_66, 0xb8, true}, mod_distance_8, sum, zmm, base, 0);
}

void x86_store(x86_code *c, int zmm, x86_memory to) { put_memory(c, (operation){map_0f, no_prefix, 0x11, false}, zmm, 0, to, 64, 0); }

void x86_broadcast(x86_code *c, int zmm, x86_memory from) {
  put_memory(c, (operation){map_0f38, prefix_66, 0x18, false}, zmm, 0, from, 4, 0);
}

void x86_add_floats(x86_code *c, int sum, x86_memory addend) {
  put_memory(c, (operation){map_0f, no_prefix, 0x58, false}, sum, sum, addend, 64, 0);
}

void x86_max(x86_code *c, int zmm, int other) { put_registers(c, (operation){map_0f, no_prefix, 0x5f, false}, zmm, zmm, other, 0); }

void x86_min(x86_code *c, int zmm, int other, int k) { put_registers(c, (operation){map_0f, no_prefix, 0x5d, false}, zmm, zmm, other, k); }
