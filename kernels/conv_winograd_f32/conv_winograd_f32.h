/* Dense float convolution by Winograd's minimal filtering: tiles of m x m outputs from n x n inputs, filters of r x r
 * taps, n = m + r - 1:
 *
 *   kernel 3x3, stride 1             F(2x2, 3x3) or F(4x4, 3x3)
 *   kernel 5x5 or 6x6, stride 2      F(4x4, 3x3) of phases
 *   kernel 7x7 or 8x8, stride 2      F(4x4, 4x4) of phases
 *
 * The phases of a strided convolution (conv/conv.h) are the channels of one of stride 1, whose filters have every second tap of a row and
 * column; where a phase has a tap less than others, its filter ends in zeros.
 *
 *   V[c] = B' x[c] B                       of every tile, c a channel of oc's group: the input transform
 *   S[oc] = sum over c of U[oc][c] . V[c]  elementwise, in order, by fused multiply-adds: n * n products of matrices
 *   y[oc] = clamp(A' S[oc] A + bias[oc] + residual[oc]),  U[oc][c] = G w[oc][c] G' packed beforehand
 *
 * after Lavin and Gray, arXiv 1509.09308: n * n instead of r * r * m * m multiplications. F(2x2, 3x3) interpolates at 0, +-1 and
 * infinity; F(4x4, 3x3) at 0, +-3/4, +-3/2 and infinity, F(4x4, 4x4) at 0, +-1/2, +-9/8 and +-3, which rounds less than other points do
 * (Barabasz et al., arXiv 1803.10986) and is exact in binary. transform.h has the matrices.
 *
 * Error, against exact arithmetic over the same x and w, |.| elementwise and channels being those of a group, phases counted: at most
 *
 *   (channels + 16 m) * eps * |A'| (sum over c of (|G||w||G'|) . (|B'||x||B|)) |A| + 2 eps |y|
 *
 * The same bits in every variant and for any split.
 *
 * Operator type conv_winograd_f32: the attributes of a convolution, dilation 1; tile (m). Inputs x f32 planar, optionally residual f32
 * planar; output f32 planar. Constants: U f32 [group][blocks of 16 output channels][n * n][channels][16 output channels], padded with
 * zeros; bias. Any gaps and row strides; kernels read valid pixels only. */
#ifndef HONED_CONV_WINOGRAD_F32_H
#define HONED_CONV_WINOGRAD_F32_H

#include "base/select.h"
#include "conv/conv.h"
#include "conv/output_f32.h"

enum { HONED_WINOGRAD_ROWS = 16 /* output channels per block */, HONED_WINOGRAD_LANES = 16 /* bands are multiples of as many tiles */ };

typedef struct honed_winograd_f32 {
  honed_conv conv;
  honed_output_f32 output;
  int64_t tile; /* m */
  const float *weights;
  const honed_kernel_row *kernel;
} honed_winograd_f32;

/* Tiles of a plane of y are numbered row by row. A task transforms a band of them, all channels of a group, and computes a chunk of the
 * group's output channels. Strides are in floats. */
typedef struct honed_winograd_plan {
  int64_t size;                                  /* n */
  int64_t channels, blocks;                      /* per group */
  int64_t row_tiles, tiles;                      /* of a plane of y */
  int64_t band_tiles, bands, chunks;             /* tasks = images * group * bands * chunks */
  int64_t phase_stride;                          /* scratch: phases [m][n][phase_stride] of one channel's rows, then */
  int64_t point_stride;                          /* transformed [n * n][point_stride], each [channels][band_tiles], then */
  int64_t phases_end, transformed_end, sums_end; /* sums [n * n][16][band_tiles], then tiles [m * m][band_tiles] of one output channel */
} honed_winograd_plan;

typedef struct honed_winograd_task {
  int64_t image, group, tile, tile_end, block, block_end;
} honed_winograd_task;

/* Sets call->plan, num_tasks and scratch_bytes. */
honed_status honed_winograd_plan_create(const honed_winograd_f32 *p, honed_call *call, honed_context *ctx);

honed_winograd_task honed_winograd_task_get(const honed_winograd_plan *plan, int64_t group, int64_t task);

#define HONED_CONV_WINOGRAD_F32(isa, function_2, function_4, function_4_4)            \
  void function_2(const honed_call *call, void *scratch, int64_t begin, int64_t end); \
  void function_4(const honed_call *call, void *scratch, int64_t begin, int64_t end); \
  void function_4_4(const honed_call *call, void *scratch, int64_t begin, int64_t end);
#include "kernels.inc"
#undef HONED_CONV_WINOGRAD_F32

#endif
