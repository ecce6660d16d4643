#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert((int)HONED_ERROR_INVALID_ARGUMENT == (int)HONED_INVALID_ARGUMENT, "public codes are the internal ones");
_Static_assert((int)HONED_ERROR_INVALID_SHAPE == (int)HONED_INVALID_SHAPE, "public codes are the internal ones");
_Static_assert((int)HONED_ERROR_INVALID_ARTIFACT == (int)HONED_INVALID_ARTIFACT, "public codes are the internal ones");
_Static_assert((int)HONED_ERROR_UNSUPPORTED == (int)HONED_UNSUPPORTED, "public codes are the internal ones");
_Static_assert((int)HONED_ERROR_OUT_OF_MEMORY == (int)HONED_OUT_OF_MEMORY, "public codes are the internal ones");
_Static_assert((int)HONED_ERROR_IO == (int)HONED_IO, "public codes are the internal ones");

struct honed_error {
  honed_error_code code;
  const char *message; /* behind the struct, or static */
};

static honed_error out_of_memory = {HONED_ERROR_OUT_OF_MEMORY, "out of memory"};

honed_error *honed_error_new(honed_status status, const char *format, ...) {
  if (status == HONED_OUT_OF_MEMORY) return &out_of_memory;
  va_list args;
  va_start(args, format);
  const int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0) return &out_of_memory;
  honed_error *error = malloc(sizeof *error + (size_t)length + 1);
  if (error == NULL) return &out_of_memory;
  char *text = (char *)(error + 1);
  va_start(args, format);
  vsnprintf(text, (size_t)length + 1, format, args);
  va_end(args);
  error->code = (honed_error_code)status;
  error->message = text;
  return error;
}

honed_error_code honed_error_get_code(const honed_error *error) { return error->code; }

const char *honed_error_message(const honed_error *error) { return error->message; }

void honed_error_delete(honed_error *error) {
  if (error != &out_of_memory) free(error);
}
