/* Instruction sets: what a kernel needs, what this machine has, and what the user allows. */
#ifndef HONED_BASE_CPU_H
#define HONED_BASE_CPU_H

#include <stdint.h>

#include "status.h"

/* Bits of an ISA set. A kernel names all the bits that it needs; scalar kernels need none. */
enum {
  HONED_ISA_SCALAR = 0,
  HONED_ISA_AVX2 = 1 << 0,       /* AVX2 and FMA3 */
  HONED_ISA_AVX512 = 1 << 1,     /* AVX-512 F, BW, DQ, VL */
  HONED_ISA_AVX512VNNI = 1 << 2, /* AVX-512 VNNI */
  HONED_ISA_AVX512VBMI = 1 << 3, /* AVX-512 VBMI */
  HONED_ISA_AVX512BF16 = 1 << 4, /* AVX-512 BF16 */
  HONED_ISA_CODE = 1 << 5,       /* the system lets kernels be written at run time (base/code_memory.h); comes with AVX-512 */
};

typedef uint32_t honed_isa;

/* What the CPU and the operating system support. */
honed_isa honed_isa_detected(void);

/* The sets up to and including the named level: "scalar", "avx2", "avx512", "avx512vnni" (with VBMI, BF16 and kernels written
 * at run time, where the machine has them).
 * Unknown names fail. */
honed_status honed_isa_parse(const char *name, honed_isa *out, honed_context *ctx);

/* honed_isa_detected(), narrowed by the environment variable HONED_ISA where it is set. A name that is unknown, or a level
 * that this machine lacks, fails. HONED_CODE=0 excludes kernels that are written at run time. */
honed_status honed_isa_allowed(honed_isa *out, honed_context *ctx);

/* The highest level contained in `isa`, as honed_isa_parse spells it. */
const char *honed_isa_name(honed_isa isa);

#endif
