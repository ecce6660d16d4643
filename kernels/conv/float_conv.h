/* Dense convolutions with f32 activations and sums, whatever they multiply: parameters, creation and shapes.
 *
 * Constants: weights [group][blocks of 8 output channels][units of input channels][taps][8 output channels][channels of a unit], padded
 * with zeros; bias. A unit is 4 bytes: one channel in f32 or two in bf16. A 1x1 kernel takes x with any row stride. With the attribute
 * `whole`, for units of one channel and a stride of two columns, x is the model's, planar with any strides and gaps or dense, the pads are
 * the convolution's, and rows of y have gaps for (kernel_w - 1) * dilation_w / 2 columns. Kernels read planar x up to HONED_OVERREAD
 * elements past the last pixel that they need. */
#ifndef HONED_CONV_FLOAT_CONV_H
#define HONED_CONV_FLOAT_CONV_H

#include "band_plan.h"
#include "base/select.h"
#include "output_f32.h"

enum {
  HONED_FLOAT_ROWS = 8, /* output channels per block of packed weights */
  HONED_FLOAT_REST = 8, /* most pixels beyond whole vectors that are no vector of their own */
};

typedef struct honed_float_conv {
  honed_conv conv;
  honed_output_f32 output;
  const float *weights; /* units */
  const honed_kernel_row *kernel;
} honed_float_conv;

/* What an operator multiplies: the elements of its weights, and how many channels' make a unit; and the bytes of a band without halo. */
typedef struct honed_float_form {
  honed_dtype weights;
  int64_t unit_channels, pointwise_bytes;
} honed_float_form;

/* Reads and checks everything, and selects the kernel. */
honed_status honed_float_conv_create(const honed_op_spec *spec, const honed_float_form *form, const honed_kernel_row *kernels,
                                     honed_float_conv *out, honed_context *ctx);

honed_status honed_float_conv_reshape(honed_call *call, const honed_float_form *form, honed_context *ctx);

const char *honed_float_conv_kernel_name(const void *params);

#endif
