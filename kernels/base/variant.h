/* Names of kernels that are written once and compiled for every instruction set: each ISA file defines HONED_VARIANT (avx2, say)
 * before it includes the family's generic.h. */
#ifndef HONED_BASE_VARIANT_H
#define HONED_BASE_VARIANT_H

#define HONED_JOIN_(name, variant) name##__##variant
#define HONED_JOIN(name, variant) HONED_JOIN_(name, variant)
#define HONED_TEXT_(text) #text
#define HONED_TEXT(text) HONED_TEXT_(text)

/* honed_add_u8 -> honed_add_u8__avx2, as a symbol and as a string. */
#define HONED_VARIANT_SYMBOL(name) HONED_JOIN(name, HONED_VARIANT)
#define HONED_VARIANT_TEXT(name) HONED_TEXT(name) "__" HONED_TEXT(HONED_VARIANT)

#endif
