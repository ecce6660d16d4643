/* Results of fallible functions inside the library.
 *
 * A function that can fail returns a honed_status and takes a honed_context, into which it writes one line that says what,
 * where, the value found and what was expected. The public API turns the pair into a honed_error object. */
#ifndef HONED_BASE_STATUS_H
#define HONED_BASE_STATUS_H

typedef enum honed_status {
  HONED_OK = 0,
  HONED_INVALID_ARGUMENT = 1, /* the caller passed something that the function's contract excludes */
  HONED_INVALID_SHAPE = 2,    /* tensors whose shapes do not fit the operator or each other */
  HONED_INVALID_ARTIFACT = 3, /* a .honed file that is truncated, altered or made by something else */
  HONED_UNSUPPORTED = 4,      /* well-formed, and nothing here can run it */
  HONED_OUT_OF_MEMORY = 5,
  HONED_IO = 6,
} honed_status;

#define HONED_MESSAGE_BYTES 512

typedef struct honed_context {
  char message[HONED_MESSAGE_BYTES]; /* "" unless a function failed */
} honed_context;

/* Formats the message (truncated to fit) and returns `status`, so that a check is one line:
 *   if (k != w->dims[1]) return honed_fail(ctx, HONED_INVALID_SHAPE, "weight has %lld columns, expected %lld", ...); */
honed_status honed_fail(honed_context *ctx, honed_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
