/* How a depthwise convolution over planes is cut into tasks: one plane of the output each. */
#ifndef HONED_CONV_PLANE_PLAN_H
#define HONED_CONV_PLANE_PLAN_H

#include "conv.h"

typedef struct honed_plane_plan {
  const uint64_t *valid; /* of y, per 64 pixels of a plane */
  int64_t words;         /* 64-pixel words of a plane of y, of which the first used_words hold valid pixels */
  int64_t used_words, used_pixels;
  const int64_t *offsets;  /* of the pieces that the kernel takes, relative to the first phase plane of the channel, in elements */
  const uint64_t *columns; /* of kernels that need no gap columns: conv/reach.h */
} honed_plane_plan;

/* A place to read from: tap (ky, kx). */
typedef struct honed_tap {
  int64_t ky, kx;
} honed_tap;

/* Sets call->plan and num_tasks. offsets[i] is that of taps[i]. */
honed_status honed_plane_plan_create(const honed_conv *conv, const honed_tap *taps, int64_t num_taps, honed_call *call, honed_context *ctx);

/* Fails unless every group has one input channel. */
honed_status honed_depthwise_check(const honed_conv *conv, honed_context *ctx);

#endif
