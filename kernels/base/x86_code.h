/* A writer of x86-64 machine code: the instructions that kernels which are written at run time consist of, and no others. Vectors are zmm
 * registers; memory operands are a register and a distance. Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual,
 * volume 2, sections 2.3 (VEX) and 2.7 (EVEX). */
#ifndef HONED_BASE_X86_CODE_H
#define HONED_BASE_X86_CODE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The first six arguments of a function, in order (System V ABI), and rax; their encodings. */
typedef enum x86_register { X86_RAX = 0, X86_RDI = 7, X86_RSI = 6, X86_RDX = 2, X86_RCX = 1, X86_R8 = 8, X86_R9 = 9 } x86_register;

enum { X86_LONGEST = 16 }; /* more than any of these instructions has bytes */

typedef struct x86_code {
  uint8_t *at, *end;
  bool full; /* an instruction found no room, and was left out */
} x86_code;

typedef struct x86_memory {
  x86_register base;
  int32_t distance; /* bytes */
} x86_memory;

/* Masks are k1 to k7: lanes whose bit is clear become 0. k0 stands for none. */

void x86_align(x86_code *c);                   /* to the next cache line */
void *x86_reserve(x86_code *c, int64_t bytes); /* for data; NULL where there is no room */
void x86_begin(x86_code *c);                   /* of a function */
void x86_return(x86_code *c);
void x86_load_seventh(x86_code *c);              /* the seventh argument, into rax: before anything is pushed */
void x86_prefetch(x86_code *c, x86_memory from); /* into the second-level cache */
void x86_add(x86_code *c, x86_register r, int32_t bytes);
void x86_load_mask(x86_code *c, int k, x86_register base, int8_t distance); /* 16 bits */

void x86_store(x86_code *c, int zmm, x86_memory to);
void x86_broadcast(x86_code *c, int zmm, x86_memory from); /* one float */
void x86_add_floats(x86_code *c, int sum, x86_memory addend);
void x86_max(x86_code *c, int zmm, int other);        /* zmm > other ? zmm : other */
void x86_min(x86_code *c, int zmm, int other, int k); /* zmm < other ? zmm : other */

/* The instructions that most of the code consists of are put together beforehand, but for the distance of their operand from its register:
 * a head, in the order of memory, and X86_LONGEST bytes of room make an instruction. */
uint64_t x86_load_head(int zmm, x86_register base, int k);      /* 16 floats */
uint64_t x86_fma_one_head(int sum, int zmm, x86_register base); /* sum += zmm * one float */

enum { X86_HEAD = 6, X86_FMA_ONE = X86_HEAD + 1 }; /* bytes */

/* Both return where the next instruction goes. */
static inline uint8_t *x86_put_load(uint8_t *at, uint64_t head, int32_t distance) {
  memcpy(at, &head, sizeof head);
  memcpy(at + X86_HEAD, &distance, sizeof distance);
  return at + X86_HEAD + sizeof distance;
}

/* The operand's distance is so many floats. Writes the instruction's own bytes only. */
static inline uint8_t *x86_put_fma_one(uint8_t *at, uint64_t head, int8_t floats) {
  const uint64_t word = head | (uint64_t)(uint8_t)floats << 8 * X86_HEAD;
  const uint32_t first = (uint32_t)word, last = (uint32_t)(word >> 8 * (X86_FMA_ONE - sizeof first));
  memcpy(at, &first, sizeof first);
  memcpy(at + X86_FMA_ONE - sizeof last, &last, sizeof last);
  return at + X86_FMA_ONE;
}

#endif
