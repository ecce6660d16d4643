#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

/* How many threads find enough work in one image. */
enum { threads_per_image = 4 };

/* Given that its inputs are constants, inputs of the graph or computed by such operators: the batch is their first dimension. A view, of
 * which nothing else is known, keeps the order of its elements: places of the first axis stay together where it stays. */
static bool is_per_image(const honed_plan *plan, uint32_t op, int64_t size) {
  const honed_call *call = &plan->calls[op];
  if ((plan->model->ops[op].type->flags & (HONED_OP_PER_IMAGE | HONED_OP_VIEW)) == 0) return false;
  for (int i = 0; i < call->num_outputs; i++) {
    const honed_tensor *t = call->outputs[i];
    if (t->rank == 0 || t->dims[0] != size) return false;
  }
  return true;
}

/* The images of a batch: what all inputs have as their first dimension; 1 where they differ. */
static int64_t batch_size(const honed_model *model, const honed_shape *shapes) {
  int64_t size = 1;
  for (uint32_t i = 0; i < model->artifact.num_inputs; i++) {
    if (shapes[i].rank == 0 || (i > 0 && shapes[i].dims[0] != size)) return 1;
    size = shapes[i].dims[0];
  }
  return size;
}

/* A divisor of the batch that keeps the threads busy and is not much more than that takes; the whole batch where it has none. */
static int64_t slice_size(int64_t size, size_t num_threads) {
  const int64_t least = ((int64_t)num_threads + threads_per_image - 1) / threads_per_image;
  for (int64_t images = least; images < 4 * least && images < size; images++) {
    if (size % images == 0) return images;
  }
  return size;
}

static uint32_t count_per_image(const honed_plan *plan, int64_t size) {
  uint32_t count = 0;
  while (count < plan->model->artifact.num_ops && is_per_image(plan, count, size)) count++;
  return count;
}

/* Whether a value has the whole batch's shape but for the first dimension, and its strides. */
static bool matches(const honed_tensor *whole, const honed_tensor *slice, int64_t images) {
  if (whole->rank != slice->rank || slice->dims[0] != images) return false;
  for (int i = 1; i < whole->rank; i++) {
    if (whole->dims[i] != slice->dims[i]) return false;
  }
  return whole->layout == HONED_DENSE || (whole->row_stride == slice->row_stride && whole->plane_stride == slice->plane_stride &&
                                          whole->image_stride == slice->image_stride);
}

static bool all_match(const honed_plan *plan, const honed_plan *slice, int64_t images) {
  for (uint32_t op = 0; op < slice->end; op++) {
    for (int i = 0; i < slice->calls[op].num_outputs; i++) {
      if (!matches(plan->calls[op].outputs[i], slice->calls[op].outputs[i], images)) return false;
    }
  }
  return true;
}

/* NULL where there is none: an operator's constants may be made for the whole batch, for one. */
static honed_plan *shape_slice(const honed_plan *plan, const honed_shape *shapes, uint32_t end, int64_t images) {
  const size_t count = plan->model->artifact.num_inputs;
  honed_plan *slice = NULL;
  honed_shape *own = malloc((count + 1) * sizeof *own);
  if (own == NULL) return NULL;
  for (size_t i = 0; i < count; i++) {
    own[i] = shapes[i];
    own[i].dims[0] = images;
  }
  honed_error *error = honed_plan_new(plan->model, own, plan->num_threads, end, &slice);
  free(own);
  if (error != NULL) {
    honed_error_delete(error);
    return NULL;
  }
  if (all_match(plan, slice, images)) return slice;
  honed_plan_delete(slice);
  return NULL;
}

/* Sets crosses[value] of those that operators before `at` compute, and that later ones read or the graph gives out. */
static void mark_crossing(const honed_model *model, uint32_t at, bool crosses[]) {
  const honed_artifact *a = &model->artifact;
  /* First the values that are read, then those of them that are computed before. */
  for (uint32_t i = at; i < a->num_ops; i++) {
    for (uint32_t j = 0; j < model->ops[i].num_inputs; j++) {
      if (model->ops[i].inputs[j] != HONED_FILE_NONE) crosses[model->ops[i].inputs[j]] = true;
    }
  }
  for (uint32_t i = 0; i < a->num_outputs; i++) crosses[a->outputs[i]] = true;
  for (uint32_t i = at; i < a->num_ops; i++) {
    for (uint32_t j = 0; j < model->ops[i].num_outputs; j++) crosses[model->ops[i].outputs[j]] = false;
  }
  for (uint32_t v = 0; v < a->num_values; v++) {
    if (model->tensors[v].data != NULL) crosses[v] = false;
  }
  for (uint32_t i = 0; i < a->num_inputs; i++) crosses[a->inputs[i]] = false;
}

/* The values that cross from the slice to the plan. */
static honed_error *find_crossing(honed_batch *batch, bool **out) {
  honed_plan *slice = batch->slice;
  const uint32_t num_values = slice->model->artifact.num_values;
  honed_error *error = honed_plan_table(slice, num_values, sizeof **out, out);
  if (error == NULL) error = honed_plan_table(slice, num_values, sizeof *batch->crosses, &batch->crosses);
  if (error != NULL) return error;
  mark_crossing(slice->model, slice->end, *out);
  for (uint32_t v = 0; v < num_values; v++) {
    if ((*out)[v]) batch->crosses[batch->num_crosses++] = v;
  }
  return NULL;
}

static honed_error *prepare_and_place(honed_plan *plan) {
  honed_error *error = honed_plan_prepare(plan);
  return error == NULL ? honed_plan_place(plan) : error;
}

static honed_error *split(honed_plan *plan, honed_batch *batch) {
  bool *crosses = NULL;
  honed_error *error = find_crossing(batch, &crosses);
  if (error == NULL) error = honed_plan_skip(plan, batch->slice->end, crosses);
  if (error != NULL) return error;
  batch->slice->handed_over = crosses;
  error = prepare_and_place(plan);
  return error == NULL ? prepare_and_place(batch->slice) : error;
}

honed_error *honed_batch_plan(honed_plan *plan, const honed_shape *shapes, honed_batch *out) {
  const int64_t size = batch_size(plan->model, shapes), images = slice_size(size, plan->num_threads);
  *out = (honed_batch){0};
  if (images < size) {
    const uint32_t end = count_per_image(plan, size);
    if (end > 0) out->slice = shape_slice(plan, shapes, end, images);
  }
  if (out->slice == NULL) return prepare_and_place(plan);
  out->slices = size / images;
  honed_error *error = split(plan, out);
  if (error != NULL) {
    honed_plan_delete(out->slice);
    *out = (honed_batch){0};
  }
  return error;
}

/* Where slice `index` of a value lies. */
static char *part(const honed_tensor *whole, int64_t slices, int64_t index) {
  const int64_t images = whole->dims[0] / slices;
  const int64_t elements = whole->layout == HONED_PLANAR ? images * whole->image_stride : honed_tensor_count(whole) / slices;
  return (char *)whole->data + index * elements * (int64_t)honed_dtype_bytes(whole->dtype);
}

void honed_batch_bind(const honed_batch *batch, const honed_plan *plan, int64_t index) {
  const honed_plan *slice = batch->slice;
  for (const honed_binding *b = slice->in_inputs.items, *end = b + slice->in_inputs.count; b < end; b++) {
    slice->tensors[b->value].data = part(&plan->tensors[plan->model->inputs[b->index].index], batch->slices, index);
  }
}

void honed_batch_collect(const honed_batch *batch, const honed_plan *plan, int64_t index) {
  for (uint32_t i = 0; i < batch->num_crosses; i++) {
    const uint32_t value = batch->crosses[i];
    honed_tensor *whole = &plan->tensors[value];
    char *begin = part(whole, batch->slices, index), *end = part(whole, batch->slices, index + 1);
    if (index == 0 && whole->layout == HONED_PLANAR) honed_planar_fill_lead(whole);
    if (end > begin) memcpy(begin, batch->slice->tensors[value].data, (size_t)(end - begin));
  }
}
