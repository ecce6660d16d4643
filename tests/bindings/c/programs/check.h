/* What the test programs share: a condition that must hold, and calls that must succeed or fail. */
#ifndef HONED_TEST_CHECK_H
#define HONED_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "honed.h"

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

#define CHECK_OK(call) check_ok((call), __FILE__, __LINE__)
#define CHECK_FAILS(call, code, text) check_fails((call), (code), (text), __FILE__, __LINE__)

static inline void check_ok(honed_error *error, const char *file, int line) {
  if (error == NULL) return;
  fprintf(stderr, "%s:%d: %s\n", file, line, honed_error_message(error));
  exit(1);
}

/* The call fails with `code`, and its message contains `text`. */
static inline void check_fails(honed_error *error, honed_error_code code, const char *text, const char *file, int line) {
  if (error == NULL || honed_error_get_code(error) != code || strstr(honed_error_message(error), text) == NULL) {
    fprintf(stderr, "%s:%d: expected code %d and '%s', found %s\n", file, line, (int)code, text,
            error == NULL ? "success" : honed_error_message(error));
    exit(1);
  }
  honed_error_delete(error);
}

#endif
