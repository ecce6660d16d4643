/* Bytes to bytes, element by element; the layouts are elementwise/elementwise.h's.
 *
 *   lookup_u8   u8 -> u8            y = table[x]; constant 0: the table, u8[256]
 *   shift_u8    s8 -> u8, u8 -> s8  y = x + 128 modulo 256: the top bit flipped */
#ifndef HONED_LOOKUP_H
#define HONED_LOOKUP_H

#include "elementwise/elementwise.h"

typedef struct honed_lookup_params {
  honed_elementwise base;
  const uint8_t *table; /* 256 bytes, aligned to 64; lookup_u8 only */
} honed_lookup_params;

enum { HONED_LOOKUP, HONED_SHIFT, HONED_LOOKUP_FUNCTIONS };

#define HONED_LOOKUP_VARIANT(isa, variant) extern const honed_span_kernel honed_lookup_kernels__##variant[HONED_LOOKUP_FUNCTIONS];
#include "kernels.inc"
#undef HONED_LOOKUP_VARIANT

#endif
