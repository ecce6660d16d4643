#include "lists.h"

#include <stdlib.h>

/* Sections that a list of so many channels can have, as bits. */
static unsigned possible_sections(int size, int step) {
  if (size == 1 || step == 1) return 1;
  return size == 2 ? 1 | 1 << HONED_SECTION_APART : (1 << HONED_SECTIONS) - 1;
}

static bool lies_within(const honed_conv_list *l, int step, int64_t id_steps, int64_t weights) {
  if (l->size != 1 && l->size != 2 && l->size != 4) return false;
  int64_t steps = 0;
  for (int s = 0; s < HONED_SECTIONS; s++) {
    if (l->steps[s] < 0 || (l->steps[s] > 0 && (possible_sections(l->size, step) >> s & 1) == 0)) return false;
    steps += l->steps[s];
  }
  return l->begin >= 0 && l->begin + honed_conv_list_id_steps(l) <= id_steps && l->weights >= 0 && l->weights + l->size * steps <= weights;
}

static honed_status check_list(const honed_conv_list *l, int64_t id_steps, int64_t weights, int64_t out_channels, int step, bool *seen,
                               honed_context *ctx) {
  if (!lies_within(l, step, id_steps, weights)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT,
                      "a list of %d channels with %d, %d, %d, %d, %d steps from %d and weights at %d leaves its constants", l->size,
                      l->steps[0], l->steps[1], l->steps[2], l->steps[3], l->steps[4], l->begin, l->weights);
  }
  for (int i = 0; i < l->size; i++) {
    const int32_t row = l->rows[i];
    if (row < 0 || row >= out_channels || seen[row]) {
      return honed_fail(ctx, HONED_INVALID_ARTIFACT, "a list names the output channel %d, expected each of %lld once", row,
                        (long long)out_channels);
    }
    seen[row] = true;
  }
  return HONED_OK;
}

static honed_status check_lists(const honed_conv_lists *l, int step, int64_t weights, int64_t out_channels, honed_context *ctx) {
  bool *seen = calloc((size_t)out_channels, sizeof *seen);
  if (seen == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %lld output channels", (long long)out_channels);
  honed_status status = HONED_OK;
  int64_t rows = 0;
  for (int64_t i = 0; i < l->num_lists && status == HONED_OK; i++) {
    status = check_list(&l->lists[i], l->num_ids / step, weights, out_channels, step, seen, ctx);
    rows += l->lists[i].size;
  }
  free(seen);
  if (status == HONED_OK && rows != out_channels) {
    status = honed_fail(ctx, HONED_INVALID_ARTIFACT, "the lists have %lld output channels, expected %lld", (long long)rows,
                        (long long)out_channels);
  }
  return status;
}

static honed_status wrong_tap(int64_t id, int64_t limit, honed_context *ctx) {
  return honed_fail(ctx, HONED_INVALID_ARTIFACT, "a list names the tap %lld, expected less than %lld", (long long)id, (long long)limit);
}

/* All passes over ids are without branches and in their type, for vectors. */
static int32_t highest_wide(const int32_t *ids, int64_t count) {
  uint32_t highest = 0; /* negative ids are large */
  for (int64_t i = 0; i < count; i++) highest = (uint32_t)ids[i] > highest ? (uint32_t)ids[i] : highest;
  return (int32_t)highest;
}

static uint16_t highest_narrow(const uint16_t *ids, int64_t count) {
  uint16_t highest = 0;
  for (int64_t i = 0; i < count; i++) highest = ids[i] > highest ? ids[i] : highest;
  return highest;
}

static honed_status check_ids(const honed_conv_lists *l, int64_t limit, honed_context *ctx) {
  const int64_t highest = l->wide_ids ? highest_wide(l->ids, l->num_ids) : highest_narrow(l->ids, l->num_ids);
  return l->num_ids == 0 || (highest >= 0 && highest < limit) ? HONED_OK : wrong_tap(highest, limit, ctx);
}

static bool ascend_wide(const int32_t *ids, int64_t count) {
  uint32_t stops = 0;
  for (int64_t i = 1; i < count; i++) stops |= ids[i - 1] >= ids[i];
  return stops == 0;
}

static bool ascend_narrow(const uint16_t *ids, int64_t count) {
  uint16_t stops = 0;
  for (int64_t i = 1; i < count; i++) stops |= (uint16_t)(ids[i - 1] >= ids[i]);
  return stops == 0;
}

/* Of a list with step 1: kernels cut it at given ids, or merge it with others. */
static honed_status check_ascending(const honed_conv_lists *lists, int64_t list, int64_t limit, honed_context *ctx) {
  const int64_t begin = lists->lists[list].begin, end = honed_conv_list_end(&lists->lists[list]);
  if (begin == end) return HONED_OK;
  if (!(lists->wide_ids ? ascend_wide((const int32_t *)lists->ids + begin, end - begin)
                        : ascend_narrow((const uint16_t *)lists->ids + begin, end - begin))) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "the taps of the list %lld do not ascend", (long long)list);
  }
  const int64_t first = honed_conv_lists_id(lists, begin), last = honed_conv_lists_id(lists, end - 1);
  if (first < 0) return wrong_tap(first, limit, ctx);
  return last < limit ? HONED_OK : wrong_tap(last, limit, ctx);
}

static honed_status check_taps(const honed_conv_lists *lists, int step, int64_t limit, honed_context *ctx) {
  if (step != 1) return check_ids(lists, limit, ctx);
  honed_status status = HONED_OK;
  for (int64_t i = 0; i < lists->num_lists && status == HONED_OK; i++) status = check_ascending(lists, i, limit, ctx);
  return status;
}

honed_status honed_conv_lists_create(const honed_op_spec *spec, const honed_conv *conv, int step, honed_dtype weight_dtype,
                                     honed_conv_lists *out, honed_context *ctx) {
  if (spec->num_consts < 3)
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "%d constants, expected lists, ids and weights", spec->num_consts);
  const honed_tensor *lists = &spec->consts[0], *ids = &spec->consts[1], *weights = &spec->consts[2];
  const int64_t num_ids = honed_tensor_count(ids), num_weights = honed_tensor_count(weights);
  if (lists->dtype != HONED_S32 || lists->rank != 2 || lists->dims[1] != 4 + 3 + HONED_SECTIONS ||
      (ids->dtype != HONED_U16 && ids->dtype != HONED_S32) || num_ids % step != 0 || weights->dtype != weight_dtype ||
      num_weights % step != 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT,
                      "constants of wrong type or shape: expected lists s32 [n,12], ids u16 or s32, weights %s",
                      honed_dtype_name(weight_dtype));
  }
  const honed_conv_lists l = {
      .lists = lists->data,
      .num_lists = lists->dims[0],
      .ids = ids->data,
      .num_ids = num_ids,
      .wide_ids = ids->dtype == HONED_S32,
      .weights = weights->data,
  };
  honed_status status = check_lists(&l, step, num_weights / step, conv->out_channels, ctx);
  if (status == HONED_OK) status = check_taps(&l, step, honed_conv_ids(conv), ctx);
  if (status == HONED_OK) *out = l;
  return status;
}

void honed_conv_lists_resolve(const honed_conv_lists *lists, const int32_t *of_tap, int32_t *out) {
  for (int64_t i = 0; i < lists->num_ids; i++) {
    out[i] = of_tap[honed_conv_lists_id(lists, i)];
  }
}
