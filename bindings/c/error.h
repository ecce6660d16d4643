/* Error objects of the public API. */
#ifndef HONED_ERROR_H
#define HONED_ERROR_H

#include "base/status.h"
#include "honed.h"

/* An error with a formatted message of any length. Where there is no memory for it, or `status` is HONED_OUT_OF_MEMORY, a static
 * object that honed_error_delete leaves alone. */
honed_error *honed_error_new(honed_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
