/* The limits of one core, measured: loops of nothing but the instruction that bounds a kernel. No operator; benchmarks call them.
 *
 * products: `rounds` times HONED_PEAK_CHAINS multiply-adds that do not depend on each other, enough of them to hide their latency.
 * Returns the number of scalar multiply-adds.
 * load: reads `bytes` bytes (a multiple of HONED_PEAK_LOAD_STEP) of `data`, aligned to 64 bytes, `passes` times. */
#ifndef HONED_PEAK_H
#define HONED_PEAK_H

#include <stddef.h>

#include "base/cpu.h"

enum { HONED_PEAK_CHAINS = 12, HONED_PEAK_LOAD_STEP = 1024 };

typedef int64_t (*honed_peak_products)(int64_t rounds);
typedef void (*honed_peak_load)(const void *data, size_t bytes, int64_t passes);

/* The limits of one level of instruction sets. */
typedef struct honed_peak {
  honed_isa isa; /* all the sets that the loops need */
  honed_peak_products f32, u8s8;
  honed_peak_load load;
} honed_peak;

/* The best row for the sets that are allowed; NULL where there is none. */
const honed_peak *honed_peak_find(honed_isa allowed);

#endif
