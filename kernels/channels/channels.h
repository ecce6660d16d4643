/* Operators that only pick planes; planar, any type, the same type and zero point on both sides.
 *
 *   concat_channels   1 to 64 inputs of equal N, H, W: their channels one input after the other
 *   slice_channels    channel i of y = channel start + i * step of x, 0 <= i < channels; attributes start, channels, step = 1
 *   channel_shuffle   channel j * groups + i of y = channel i * (C / groups) + j of x; attribute groups, which divides C
 *
 * A plane is copied as it lies where the strides agree, gaps and all; else row by row. */
#ifndef HONED_CHANNELS_H
#define HONED_CHANNELS_H

#include "base/operator.h"

typedef struct honed_channels_params {
  int64_t start, channels, step; /* slice_channels */
  int64_t groups;                /* channel_shuffle */
} honed_channels_params;

/* Where an output channel comes from. */
typedef struct honed_channel_source {
  int64_t input, channel;
} honed_channel_source;

/* Creates output dims[1] = `channels` with the other dimensions of input 0, and sets kernel and tasks; *sources has room for one
 * source per channel, for the caller to fill. */
honed_status honed_channels_plan(honed_call *call, int64_t channels, honed_channel_source **sources, honed_context *ctx);

#endif
