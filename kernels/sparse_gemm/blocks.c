#include "blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/integers.h"

enum { MOST_FILLED = 4 /* steps hold at most so many times the entries */ };

/* While steps are made: how many entries each output of a group has had in each block. */
typedef struct maker {
  const honed_csr *weights;
  int64_t n, blocks;
  int32_t (*count)[HONED_GEMM_GROUP]; /* [blocks] */
} maker;

static int64_t block_of(const maker *m, int64_t entry) {
  return honed_csr_index(m->weights->indices, m->weights->wide, entry) / HONED_GEMM_INPUTS;
}

/* Counts the entries of the group whose first output is n0. */
static void count_group(const maker *m, int64_t n0) {
  memset(m->count, 0, (size_t)m->blocks * sizeof *m->count);
  const int64_t rows = honed_smaller(m->n - n0, HONED_GEMM_GROUP);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t e = m->weights->indptr[n0 + r]; e < m->weights->indptr[n0 + r + 1]; e++) m->count[block_of(m, e)][r]++;
  }
}

static int64_t steps_of(const int32_t count[HONED_GEMM_GROUP]) {
  int64_t most = 0;
  for (int r = 0; r < HONED_GEMM_GROUP; r++) most = honed_larger(most, count[r]);
  return honed_divide_up(most, 4);
}

/* begin: as of honed_gemm_blocks. Returns the number of all steps. */
static int64_t count_steps(const maker *m, int32_t *begin) {
  int64_t steps = 0;
  for (int64_t n0 = 0; n0 < m->n; n0 += HONED_GEMM_GROUP) {
    count_group(m, n0);
    for (int64_t b = 0; b < m->blocks; b++) {
      *begin++ = (int32_t)steps;
      steps += steps_of(m->count[b]);
    }
  }
  *begin = (int32_t)steps;
  return steps;
}

/* steps: zeros. */
static void fill_steps(const maker *m, const int32_t *begin, honed_gemm_step *steps) {
  for (int64_t n0 = 0; n0 < m->n; n0 += HONED_GEMM_GROUP, begin += m->blocks) {
    memset(m->count, 0, (size_t)m->blocks * sizeof *m->count);
    const int64_t rows = honed_smaller(m->n - n0, HONED_GEMM_GROUP);
    for (int64_t r = 0; r < rows; r++) {
      for (int64_t e = m->weights->indptr[n0 + r]; e < m->weights->indptr[n0 + r + 1]; e++) {
        const int64_t b = block_of(m, e), place = m->count[b][r]++;
        honed_gemm_step *step = &steps[begin[b] + place / 4];
        step->inputs[r][place % 4] = (uint8_t)(honed_csr_index(m->weights->indices, m->weights->wide, e) % HONED_GEMM_INPUTS);
        step->weights[r][place % 4] = ((const int8_t *)m->weights->values)[e];
      }
    }
  }
}

static honed_status make(const maker *m, honed_call *call, honed_context *ctx) {
  const int64_t groups = honed_divide_up(m->n, HONED_GEMM_GROUP);
  void *plan_memory = NULL, *begin = NULL, *steps = NULL;
  honed_status status = honed_call_alloc(call, (size_t)(groups * m->blocks + 1) * sizeof(int32_t), &begin, ctx);
  if (status != HONED_OK) return status;
  const int64_t count = count_steps(m, begin), held = count * HONED_GEMM_GROUP * 4;
  if (held > MOST_FILLED * (int64_t)m->weights->indptr[m->n]) return HONED_OK;
  status = honed_call_alloc(call, sizeof(honed_gemm_blocks), &plan_memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)count * sizeof(honed_gemm_step), &steps, ctx);
  if (status != HONED_OK) return status;
  memset(steps, 0, (size_t)count * sizeof(honed_gemm_step));
  fill_steps(m, begin, steps);
  *(honed_gemm_blocks *)plan_memory = (honed_gemm_blocks){.blocks = m->blocks, .begin = begin, .steps = steps};
  call->plan = plan_memory;
  return HONED_OK;
}

honed_status honed_gemm_blocks_create(const honed_csr *weights, int64_t n, int64_t k, honed_call *call, honed_context *ctx) {
  maker m = {.weights = weights, .n = n, .blocks = honed_divide_up(k, HONED_GEMM_INPUTS)};
  /* Neither time nor memory for blocks without entries: a model may have any number of them. */
  if (m.blocks > weights->indptr[n] / honed_divide_up(n, HONED_GEMM_GROUP)) return HONED_OK;
  m.count = malloc((size_t)m.blocks * sizeof *m.count);
  if (m.count == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld blocks of inputs", (long long)m.blocks);
  const honed_status status = make(&m, call, ctx);
  free(m.count);
  return status;
}
