/* Writes the function of one block (code_plan.h). */
#ifndef HONED_SPARSE_CONV_F32_CODE_WRITE_H
#define HONED_SPARSE_CONV_F32_CODE_WRITE_H

#include "base/x86_code.h"
#include "code_plan.h"

/* One column of the block, and where its next product goes. (No two members that are adjacent change together: GCC makes a vector of
 * them, whose parts take longer to get at.) */
typedef struct honed_code_column {
  uint8_t *at;
  const uint64_t *fma; /* heads, by sum */
  float *weights;
  int32_t count; /* of products that have no room yet */
  int32_t units; /* from the register that points into the weights to the next one, in floats */
} honed_code_column;

typedef struct honed_code_writer {
  const honed_conv *conv;
  const honed_conv_lists *lists;
  const honed_output_f32 *output;
  const honed_tensor *y, *residual; /* residual may be NULL */
  const int32_t *of_tap;            /* [columns]: where a column begins, in elements of x */
  bool masked;                      /* taps may lie beyond a row's ends */
  int64_t tiles;                    /* how many times a block runs, at least, before the next one does */
  x86_code code;
  uint64_t load[2][HONED_CODE_MASKS], fma[2][HONED_CODE_ROWS]; /* heads, for columns in two registers: by mask, by sum */
  float *weights;                                              /* where the next one goes */
  int32_t distance;                                            /* from the register that points into the weights to it, in bytes */
  int64_t written, lines;                                      /* products of the block so far; lines that are fetched ahead */
  honed_code_column *columns;                                  /* [columns]; no counts between blocks */
  int64_t next[HONED_CODE_ROWS];                               /* of each list of the block, the first entry that is not written */
} honed_code_writer;

/* Fills the heads in. */
void honed_code_writer_begin(honed_code_writer *w);

/* Most bytes that a block takes with so many channels, columns and weights. */
int64_t honed_code_bytes(int64_t rows, int64_t columns, int64_t weights);

/* Lists [begin, end); sets all of *out. */
void honed_code_write(honed_code_writer *w, int64_t begin, int64_t end, honed_code_block *out);

#endif
