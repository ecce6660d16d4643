/* Loops of constant length, written out before the compiler sees them.
 *
 * GCC 12 keeps an array of accumulators in registers only if every index is a constant from the start; a loop that it unrolls itself
 * comes too late, and the accumulators go through memory. The body is repeated with `i` as an enumeration constant. */
#ifndef HONED_BASE_UNROLL_H
#define HONED_BASE_UNROLL_H

/* For functions that share the registers of their caller: a compiler that leaves one of them out of line puts accumulators in memory. */
#define ALWAYS static inline __attribute__((always_inline))

#define HONED_REPEAT(i, value, ...) \
  {                                 \
    enum { i = value };             \
    __VA_ARGS__                     \
  }
#define HONED_UNROLL2(i, ...) HONED_REPEAT(i, 0, __VA_ARGS__) HONED_REPEAT(i, 1, __VA_ARGS__)
#define HONED_UNROLL3(i, ...) HONED_UNROLL2(i, __VA_ARGS__) HONED_REPEAT(i, 2, __VA_ARGS__)
#define HONED_UNROLL4(i, ...) HONED_UNROLL3(i, __VA_ARGS__) HONED_REPEAT(i, 3, __VA_ARGS__)
#define HONED_UNROLL5(i, ...) HONED_UNROLL4(i, __VA_ARGS__) HONED_REPEAT(i, 4, __VA_ARGS__)
#define HONED_UNROLL6(i, ...) HONED_UNROLL5(i, __VA_ARGS__) HONED_REPEAT(i, 5, __VA_ARGS__)
#define HONED_UNROLL7(i, ...) HONED_UNROLL6(i, __VA_ARGS__) HONED_REPEAT(i, 6, __VA_ARGS__)
#define HONED_UNROLL8(i, ...) HONED_UNROLL7(i, __VA_ARGS__) HONED_REPEAT(i, 7, __VA_ARGS__)
#define HONED_UNROLL12(i, ...)  \
  HONED_UNROLL8(i, __VA_ARGS__) \
  HONED_REPEAT(i, 8, __VA_ARGS__) HONED_REPEAT(i, 9, __VA_ARGS__) HONED_REPEAT(i, 10, __VA_ARGS__) HONED_REPEAT(i, 11, __VA_ARGS__)
#define HONED_UNROLL14(i, ...) HONED_UNROLL12(i, __VA_ARGS__) HONED_REPEAT(i, 12, __VA_ARGS__) HONED_REPEAT(i, 13, __VA_ARGS__)
#define HONED_UNROLL16(i, ...) HONED_UNROLL14(i, __VA_ARGS__) HONED_REPEAT(i, 14, __VA_ARGS__) HONED_REPEAT(i, 15, __VA_ARGS__)

#endif
