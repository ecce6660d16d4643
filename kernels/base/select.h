/* Choice of a kernel from a family's table. */
#ifndef HONED_BASE_SELECT_H
#define HONED_BASE_SELECT_H

#include "operator.h"

typedef struct honed_kernel_row {
  honed_isa isa; /* all the sets that the kernel needs */
  honed_kernel kernel;
  const char *name;
} honed_kernel_row;

/* For the expansion of a kernels.inc into a table. */
#define HONED_KERNEL_ROW(isa, function) {isa, function, #function},

/* Index of the first row whose sets are all in `allowed`. The last row of a table needs none. */
static inline int honed_kernel_select(const honed_kernel_row *rows, honed_isa allowed) {
  int i = 0;
  while ((rows[i].isa & ~allowed) != 0) i++;
  return i;
}

#endif
