#include "status.h"

#include <stdarg.h>
#include <stdio.h>

honed_status honed_fail(honed_context *ctx, honed_status status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(ctx->message, sizeof ctx->message, format, args);
  va_end(args);
  return status;
}
