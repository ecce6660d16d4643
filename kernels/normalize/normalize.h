/* Normalisations of dense f32 tensors: layer_norm, group_norm (and with it instance normalisation), batch_norm, lrn.
 *
 *   y = (x - mean) / √(variance + epsilon) · scale + bias
 *
 * layer_norm may have two more outputs: the mean and 1 / √(variance + epsilon), with dimensions of 1 where x is normalised.
 * Mean and variance (of the population) are computed in double in two passes, each in eight parts, element i in part i mod 8. */
#ifndef HONED_NORMALIZE_H
#define HONED_NORMALIZE_H

#include "base/operator.h"

typedef struct honed_statistics {
  double mean, inverse_deviation; /* 1 / √(variance + epsilon) */
} honed_statistics;

/* n > 0. */
honed_statistics honed_statistics_of(const float *x, int64_t n, double epsilon);

/* Constant `index` as f32 with any number of elements, which is returned in *count. */
honed_status honed_normalize_const(const honed_op_spec *spec, int index, const float **out, int64_t *count, honed_context *ctx);

/* Attribute `epsilon` ≥ 0. */
honed_status honed_normalize_epsilon(const honed_op_spec *spec, float *epsilon, honed_context *ctx);

/* One f32 input and output, and `epsilon`. */
honed_status honed_normalize_check(const honed_op_spec *spec, float *epsilon, honed_context *ctx);

/* [N, C, ...] with C = channels; output 0 has the same shape. *inner is the number of elements of a channel. */
honed_status honed_normalize_channels(honed_call *call, int64_t channels, int64_t *inner, honed_context *ctx);

#endif
