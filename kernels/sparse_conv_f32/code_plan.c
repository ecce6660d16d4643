#include "code_plan.h"

#include <stdlib.h>

#include "base/integers.h"
#include "code_write.h"
#include "conv/reach.h"

enum {
  wanted_tasks = 8,
  least_tiles = 8,         /* of all images: a weight and its instruction are 11 bytes, which have to be read once at least */
  small_code = 256 * 1024, /* bytes: never too much */
};

/* Of all blocks: what has to be found room for. */
typedef struct extent {
  int64_t blocks, code_bytes;
} extent;

/* Lists from `begin` on, as many as fill the registers: the more channels, the fewer reads of each column. */
static int64_t block_end(const honed_conv_lists *lists, int64_t begin) {
  int64_t end = begin, rows = 0;
  while (end < lists->num_lists && rows + lists->lists[end].size <= HONED_CODE_ROWS) rows += lists->lists[end++].size;
  return end;
}

static extent measure(const honed_conv *conv, const honed_conv_lists *lists) {
  extent e = {0};
  for (int64_t begin = 0, end; begin < lists->num_lists; begin = end, e.blocks++) {
    int64_t rows = 0, entries = 0, weights = 0;
    end = block_end(lists, begin);
    for (int64_t i = begin; i < end; i++) {
      const honed_conv_list *l = &lists->lists[i];
      rows += l->size;
      entries += l->steps[HONED_SECTION_ALL];
      weights += (int64_t)l->steps[HONED_SECTION_ALL] * l->size;
    }
    e.code_bytes += honed_code_bytes(rows, honed_smaller(entries, honed_conv_ids(conv)), weights);
  }
  return e;
}

/* Distances are 32 bits of bytes. */
static bool within_reach(const honed_conv *conv, const honed_call *call, const int32_t *of_tap) {
  const int64_t most = INT32_MAX / (int64_t)sizeof(float), columns = honed_conv_ids(conv);
  if (conv->out_channels * call->outputs[0]->plane_stride > most) return false;
  if (call->num_inputs == 2 && conv->out_channels * call->inputs[1]->plane_stride > most) return false;
  for (int64_t i = 0; i < columns; i++) {
    if (of_tap[i] > most || of_tap[i] < -most) return false;
  }
  return true;
}

static bool worth_it(const honed_conv *conv, const honed_tensor *y, const extent *e) {
  if (y->dims[0] * honed_divide_up(honed_planar_extent(y), HONED_CODE_PIXELS) < least_tiles) return false;
  const int64_t dense_bytes = conv->out_channels * (honed_conv_ids(conv) / conv->group) * (int64_t)sizeof(float);
  return e->code_bytes <= honed_larger(dense_bytes, small_code);
}

static honed_status make_masks(honed_call *call, const honed_conv *conv, const uint64_t *reach, honed_code_plan *plan, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  const int64_t words = y->plane_stride / 64;
  uint64_t *valid = malloc((size_t)honed_larger(words, 1) * sizeof *valid);
  void *memory = NULL;
  if (valid == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld words of masks", (long long)words);
  const size_t bytes = (size_t)(plan->tiles * HONED_CODE_MASKS) * sizeof(uint16_t);
  const honed_status status = honed_call_alloc(call, bytes, &memory, ctx);
  if (status == HONED_OK) {
    honed_planar_masks(y, valid);
    uint16_t *mask = memory;
    for (int64_t tile = 0; tile < plan->tiles; tile++, mask += HONED_CODE_MASKS) {
      const int64_t word = tile * HONED_CODE_PIXELS / 64, shift = tile * HONED_CODE_PIXELS % 64;
      mask[0] = (uint16_t)(valid[word] >> shift);
      for (int64_t kx = 0; kx + 1 < HONED_CODE_MASKS; kx++) {
        mask[1 + kx] = reach == NULL || kx >= conv->kernel_w ? 0xffff : (uint16_t)(reach[kx * words + word] >> shift);
      }
    }
    plan->masks = memory;
  }
  free(valid);
  return status;
}

/* Writes all blocks; false where that fails. */
static bool write_blocks(honed_code_writer *w, honed_code_plan *plan) {
  int64_t begin = 0;
  for (int64_t i = 0; i < plan->num_blocks && !w->code.full; i++) {
    const int64_t end = block_end(w->lists, begin);
    honed_code_write(w, begin, end, &plan->blocks[i]);
    begin = end;
  }
  return !w->code.full;
}

static honed_status write_code(honed_code_writer *w, const extent *e, honed_call *call, honed_code_plan *plan, bool *made,
                               honed_context *ctx) {
  void *blocks = NULL;
  honed_status status = honed_call_alloc(call, (size_t)e->blocks * sizeof *plan->blocks, &blocks, ctx);
  if (status != HONED_OK) return status;
  void *code = honed_arena_map_code(call->allocator, (size_t)e->code_bytes);
  if (code == NULL) return HONED_OK;
  plan->blocks = blocks;
  plan->num_blocks = e->blocks;
  w->code = (x86_code){code, (uint8_t *)code + e->code_bytes, false};
  honed_code_writer_begin(w);
  w->columns = calloc((size_t)honed_conv_ids(w->conv), sizeof *w->columns);
  if (w->columns == NULL) {
    status = honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld columns", (long long)honed_conv_ids(w->conv));
  } else {
    *made = write_blocks(w, plan);
  }
  free(w->columns);
  return status;
}

static void split(const honed_tensor *y, honed_call *call, honed_code_plan *plan) {
  const int64_t tasks = honed_larger(y->dims[0] * plan->groups, 1);
  plan->parts = honed_smaller(honed_divide_up(wanted_tasks, tasks), plan->num_blocks);
  call->plan = plan;
  call->num_tasks = y->dims[0] * plan->groups * plan->parts;
  call->scratch_bytes = 0;
}

honed_status honed_code_plan_create(const honed_conv *conv, const honed_conv_lists *lists, const honed_output_f32 *output, honed_call *call,
                                    bool *made, honed_context *ctx) {
  const honed_tensor *y = call->outputs[0];
  const extent e = measure(conv, lists);
  void *memory = NULL, *of_tap = NULL;
  const uint64_t *reach = NULL;
  *made = false;
  if (!worth_it(conv, y, &e)) return HONED_OK;
  honed_status status = honed_call_alloc(call, sizeof(honed_code_plan), &memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)honed_conv_ids(conv) * sizeof(int32_t), &of_tap, ctx);
  if (status == HONED_OK) status = honed_conv_offsets(conv, call->inputs[0], of_tap, ctx);
  if (status == HONED_OK) status = honed_conv_reach(conv, call, &reach, ctx);
  if (status != HONED_OK || !within_reach(conv, call, of_tap) || (reach != NULL && conv->kernel_w + 1 > HONED_CODE_MASKS)) return status;
  honed_code_plan *plan = memory;
  *plan = (honed_code_plan){.tiles = honed_divide_up(honed_planar_extent(y), HONED_CODE_PIXELS)};
  plan->groups = honed_larger(honed_divide_up(plan->tiles, HONED_CODE_TILES), 1);
  status = make_masks(call, conv, reach, plan, ctx);
  honed_code_writer w = {.conv = conv,
                         .lists = lists,
                         .output = output,
                         .y = y,
                         .residual = call->num_inputs == 2 ? call->inputs[1] : NULL,
                         .of_tap = of_tap,
                         .masked = reach != NULL,
                         .tiles = plan->tiles / plan->groups};
  if (status == HONED_OK) status = write_code(&w, &e, call, plan, made, ctx);
  if (*made) split(y, call, plan);
  return status;
}
