/* MXCSR for the arithmetic of bf16.h: denormal operands and results are zero, roundings go to the nearest, nothing traps. Between the two
 * calls, float instructions belong into functions that are not inlined: compilers do not know that MXCSR is among their operands. */
#ifndef HONED_BASE_X86_FLUSH_H
#define HONED_BASE_X86_FLUSH_H

#include <immintrin.h>

/* Returns what honed_flush_end wants. */
static inline unsigned honed_flush_begin(void) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(_MM_MASK_MASK | _MM_ROUND_NEAREST | _MM_FLUSH_ZERO_ON | 0x40 /* denormals are zero */);
  return before;
}

static inline void honed_flush_end(unsigned before) { _mm_setcsr(before); }

#endif
