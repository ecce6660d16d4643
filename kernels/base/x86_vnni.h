/* The int8 dot product: acc[i] += sum over k of u[4i + k] * s[4i + k], exact in 32 bits.
 *
 * Inline assembly, because GCC 12 surrounds the intrinsic with register moves and spills the accumulators of a full tile. */
#ifndef HONED_BASE_X86_VNNI_H
#define HONED_BASE_X86_VNNI_H

#include <immintrin.h>

static inline __m512i honed_dpbusd(__m512i acc, __m512i u, __m512i s) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));
  return acc;
}
/* The lower halves; the upper one of the result is 0. */
static inline __m512i honed_dpbusd_half(__m512i acc, __m512i u, __m512i s) {
  __asm__("vpdpbusd %t2, %t1, %t0" : "+v"(acc) : "v"(u), "v"(s));
  return acc;
}

#endif
