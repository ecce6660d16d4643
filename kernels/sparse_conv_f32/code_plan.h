/* A sparse float convolution as machine code, written when the shapes are known: weights of 0 leave no trace in it.
 *
 * A block is some lists with up to HONED_CODE_ROWS output channels, as one function. It keeps the channels' sums over a tile of 16 adjacent
 * pixels in as many registers, reads each column (a tap of an input channel, conv/lists.h) that any of them has once, in order, and
 * multiplies it by their weights, which it reads from one stream. A table-driven loop cannot do that: which sum a weight belongs to has to
 * be known when the code is written. Pixels are read where they are; what lies beyond a row's ends is masked.
 *
 * Tasks = images * groups (of tiles) * parts (of blocks). */
#ifndef HONED_SPARSE_CONV_F32_CODE_PLAN_H
#define HONED_SPARSE_CONV_F32_CODE_PLAN_H

#include "conv/lists.h"
#include "conv/output_f32.h"

enum {
  HONED_CODE_ROWS = 28,   /* registers for sums: four are left */
  HONED_CODE_PIXELS = 16, /* of a tile */
  HONED_CODE_TILES = 32,  /* of a group, at most: its pixels and a block's code stay in near caches */
  HONED_CODE_MASKS = 7,   /* of a tile: its valid pixels; for each column of the kernel, those whose tap lies in x */
};

/* x, y and residual: the tile's first pixel in channel 0, of the image. limits: the clamp's two. ahead: the address of what to fetch
 * meanwhile, which may lie behind all code. */
typedef void (*honed_sparse_code)(const float *x, const float *weights, float *y, const uint16_t *masks, const float *limits,
                                  const float *residual, uintptr_t ahead);

/* Weights and code lie in one piece, block after block. */
typedef struct honed_code_block {
  honed_sparse_code run;
  const float *weights; /* what run takes */
  const char *begin, *end;
  int64_t ahead;    /* bytes that one run fetches */
  int64_t list_end; /* lists begin where those of the block before end */
} honed_code_block;

typedef struct honed_code_plan {
  honed_code_block *blocks;
  int64_t num_blocks, tiles, groups, parts;
  const uint16_t *masks; /* [tiles][HONED_CODE_MASKS] */
} honed_code_plan;

/* Sets call->plan, num_tasks and scratch_bytes. *made is false, and nothing is set, where no code was written: for kernels wider than there
 * are masks, planes beyond the reach of an instruction, weights whose code would be larger than all weights with their zeros, and
 * where the system refuses. */
honed_status honed_code_plan_create(const honed_conv *conv, const honed_conv_lists *lists, const honed_output_f32 *output, honed_call *call,
                                    bool *made, honed_context *ctx);

#endif
