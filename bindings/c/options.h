/* Option structs begin with their size, so that fields can be appended: a caller built with an older header leaves out the last
 * ones, which then have their default, zero. */
#ifndef HONED_OPTIONS_H
#define HONED_OPTIONS_H

#include <string.h>

#include "error.h"

/* Copies `from`, which may be NULL, over *to, whose `bytes` are zero. Fails on a size that no version of the struct had. */
static inline honed_error *honed_options_read(const void *from, void *to, size_t bytes, const char *what) {
  if (from == NULL) return NULL;
  size_t given = 0;
  memcpy(&given, from, sizeof given);
  if (given < sizeof given || given > bytes) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "%s.struct_size is %zu, expected %zu to %zu", what, given, sizeof given, bytes);
  }
  memcpy(to, from, given);
  return NULL;
}

#endif
