#include "band_plan.h"

#include "base/integers.h"

enum {
  wanted_tasks = 32,
  chunk_rows = 8, /* kernels take so many output channels at a time */
};

/* Blocks that a chunk is a multiple of. */
static int64_t chunk_blocks(const honed_band_plan *plan) { return honed_larger(chunk_rows / plan->rows, 1); }

static honed_status make_tap_tables(const honed_conv *conv, int64_t row_stride, honed_band_plan *plan, honed_call *call,
                                    int64_t *last_shift, int64_t **tap_offset, honed_context *ctx) {
  void *memory = NULL;
  const honed_status status = honed_call_alloc(call, (size_t)plan->taps * 3 * sizeof(int64_t), &memory, ctx);
  if (status != HONED_OK) return status;
  int64_t *phase = memory, *shift = phase + plan->taps;
  *tap_offset = shift + plan->taps;
  for (int64_t tap = 0; tap < plan->taps; tap++) {
    phase[tap] = honed_conv_tap_phase(conv, tap / conv->kernel_w, tap % conv->kernel_w);
    shift[tap] = honed_conv_tap_shift(conv, row_stride, tap / conv->kernel_w, tap % conv->kernel_w);
    plan->first_shift = tap == 0 ? shift[tap] : honed_smaller(plan->first_shift, shift[tap]);
    *last_shift = tap == 0 ? shift[tap] : honed_larger(*last_shift, shift[tap]);
  }
  plan->tap_phase = phase;
  plan->tap_shift = shift;
  plan->tap_offset = *tap_offset;
  return HONED_OK;
}

/* The longest band that fits, then evened out over the plane. */
static void choose_bands(honed_band_plan *plan, const honed_band_layout *layout, int64_t span) {
  const int64_t pixels = layout->band_bytes / (4 * plan->units * plan->phases) - span;
  const int64_t longest = honed_larger(pixels / HONED_VECTOR / layout->tile_vectors, 1) * layout->tile_vectors;
  plan->bands = honed_divide_up(plan->used_vectors, longest);
  const int64_t even = plan->bands == 0 ? 0 : honed_divide_up(plan->used_vectors, plan->bands);
  plan->band_vectors = honed_larger(honed_divide_up(even, layout->tile_vectors), 1) * layout->tile_vectors;
  plan->bands = honed_divide_up(plan->used_vectors, plan->band_vectors);
  const int64_t pixels_used = honed_smaller(plan->band_vectors, plan->used_vectors) * HONED_VECTOR + span;
  plan->plane_pixels = honed_divide_up(pixels_used, layout->plane_pixels) * layout->plane_pixels;
}

/* Of one group of an image. */
static int64_t band_tasks(const honed_band_plan *plan) { return (plan->bands - 1) * plan->chunks + plan->last_chunks; }

/* Cuts bands into chunks of output channels such that tasks are alike: a shorter last band has fewer, unless threads have whole chunks. */
static void choose_chunks(honed_band_plan *plan, int64_t outer) {
  const int64_t vectors = outer * plan->used_vectors, most = honed_larger(plan->blocks / chunk_blocks(plan), 1);
  const int64_t band = honed_smaller(plan->band_vectors, plan->used_vectors);
  const int64_t last = plan->used_vectors - (plan->bands - 1) * plan->band_vectors;
  plan->chunks = vectors == 0 ? 1 : honed_smaller(honed_divide_up(wanted_tasks * band, vectors), most);
  plan->last_chunks = vectors == 0 ? 1 : plan->in_place ? plan->chunks : honed_larger(plan->chunks * last / band, 1);
}

honed_status honed_band_plan_create(const honed_conv *conv, const honed_band_layout *layout, honed_call *call, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0], *y = call->outputs[0];
  const honed_conv split = honed_conv_split(conv);
  void *memory = NULL, *valid = NULL;
  honed_status status = honed_call_alloc(call, sizeof(honed_band_plan), &memory, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)(y->plane_stride / 64) * sizeof(uint64_t), &valid, ctx);
  if (status != HONED_OK) return status;
  honed_planar_masks(y, valid);
  honed_band_plan *plan = memory;
  plan->valid = valid;
  plan->vectors = y->plane_stride / HONED_VECTOR;
  plan->used_pixels = honed_planar_extent(y);
  plan->used_vectors = honed_divide_up(plan->used_pixels - layout->along, HONED_VECTOR);
  plan->along = layout->along;
  plan->in_place = layout->in_place;
  plan->taps = honed_conv_taps(conv);
  plan->phases = split.phases_h * split.phases_w;
  plan->units = layout->units;
  plan->group = conv->group;
  plan->rows = layout->rows;
  plan->blocks = honed_divide_up(conv->out_channels / conv->group, layout->rows);
  int64_t last_shift = 0, *tap_offset = NULL;
  status = make_tap_tables(&split, conv->whole ? y->row_stride : x->row_stride, plan, call, &last_shift, &tap_offset, ctx);
  if (status != HONED_OK) return status;
  choose_bands(plan, layout, last_shift - plan->first_shift);
  for (int64_t tap = 0; tap < plan->taps; tap++) {
    tap_offset[tap] = plan->tap_phase[tap] * plan->plane_pixels + plan->tap_shift[tap] - plan->first_shift;
  }
  const int64_t outer = y->dims[0] * plan->group;
  choose_chunks(plan, outer);
  call->plan = plan;
  call->num_tasks = plan->bands == 0 ? 0 : outer * band_tasks(plan);
  call->prepares = !plan->in_place;
  const int64_t copied = plan->in_place ? 0 : layout->units * plan->phases * plan->plane_pixels + HONED_VECTOR; /* whole vectors are */
  call->scratch_bytes = (size_t)copied * 4;
  return HONED_OK;
}

honed_band_task honed_band_task_get(const honed_band_plan *plan, int64_t task) {
  const int64_t outer = task / band_tasks(plan), inner = task % band_tasks(plan);
  const int64_t band = plan->in_place ? inner % plan->bands : honed_smaller(inner / plan->chunks, plan->bands - 1);
  const int64_t chunk = plan->in_place ? inner / plan->bands : inner - band * plan->chunks;
  const bool last = band == plan->bands - 1;
  const int64_t chunks = last ? plan->last_chunks : plan->chunks;
  const int64_t step = chunk_blocks(plan), steps = honed_divide_up(plan->blocks, step);
  return (honed_band_task){
      .image = outer / plan->group,
      .group = outer % plan->group,
      .vector = band * plan->band_vectors,
      .vector_end = honed_smaller((band + 1) * plan->band_vectors, plan->used_vectors),
      .fill_end = last ? plan->vectors : (band + 1) * plan->band_vectors,
      .block = steps * chunk / chunks * step,
      .block_end = honed_smaller(steps * (chunk + 1) / chunks * step, plan->blocks),
      .first = chunk == 0,
  };
}
