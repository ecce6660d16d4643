/* What create functions check of what a file says, in one line each. */
#ifndef HONED_BASE_CHECK_H
#define HONED_BASE_CHECK_H

#include <stddef.h>

#include "operator.h"

/* `what` names the tensor in the message: "input 0". */
honed_status honed_check_dtype(const honed_tensor *t, const char *what, honed_dtype expected, honed_context *ctx);
honed_status honed_check_layout(const honed_tensor *t, const char *what, honed_layout expected, honed_context *ctx);

/* A float attribute that must be finite. */
honed_status honed_attr_finite(const honed_op_spec *spec, const char *name, double fallback, float *out, honed_context *ctx);

/* Two float attributes with lo <= hi, so neither is NaN. */
honed_status honed_attr_range(const honed_op_spec *spec, const char *lo_name, const char *hi_name, double lo_fallback, double hi_fallback,
                              float *lo, float *hi, honed_context *ctx);

/* clamp_lo and clamp_hi of an operator with u8 output: 0 <= lo <= hi <= 255, which is also the default. */
honed_status honed_attr_u8_range(const honed_op_spec *spec, float *lo, float *hi, honed_context *ctx);

/* The last step of a create: *params is a copy, freed with free(). */
honed_status honed_params_copy(const void *source, size_t bytes, void **params, honed_context *ctx);

#endif
