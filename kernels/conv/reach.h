/* Where gaps of the input are narrower than the padding: which pixels of the output have a tap's column within the row. */
#ifndef HONED_CONV_REACH_H
#define HONED_CONV_REACH_H

#include "conv.h"

/* *out: [kernel_w][words], a bit for each of the 64 pixels of a word of y's planes; NULL where x's gaps hold the padding. */
honed_status honed_conv_reach(const honed_conv *conv, honed_call *call, const uint64_t **out, honed_context *ctx);

#endif
