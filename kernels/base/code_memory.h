/* Memory for machine code that is written at run time: first writable, then executable, never both. */
#ifndef HONED_BASE_CODE_MEMORY_H
#define HONED_BASE_CODE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the system grants such memory to this process (some forbid it). Asks once. */
bool honed_code_allowed(void);

/* Writable memory of *bytes, which becomes how many there are, aligned to a page; the 64 bytes before it are writable as long as it lives.
 * NULL where there is none. */
void *honed_code_map(size_t *bytes);
/* Makes it executable and read-only. */
bool honed_code_seal(void *code, size_t bytes);
void honed_code_unmap(void *code, size_t bytes);

#endif
