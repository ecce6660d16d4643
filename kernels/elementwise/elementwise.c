#include "elementwise.h"

#include <string.h>

#include "base/planes.h"

enum { max_inputs = 2, task_elements = 4096, merged_elements = 16384 };

typedef struct elementwise_plan {
  honed_blocks blocks;
  bool same_rows;                   /* all row strides agree: the rows of a block are one span */
  bool same_planes;                 /* plane strides too, all planar, one block per plane: planes in a row are one span */
  bool broadcast;                   /* input 1 holds one element per plane */
  int64_t image_step, channel_step; /* of that input, in elements */
} elementwise_plan;

const honed_span_kernel *honed_span_select(const honed_span_table *table, honed_isa isa) {
  while ((table->isa & isa) != table->isa) table++;
  return table->kernels;
}

const char *honed_elementwise_name(const void *params) { return ((const honed_elementwise *)params)->kernel.name; }

static void run_dense(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_elementwise *e = call->params;
  const int64_t count = honed_tensor_count(call->inputs[0]);
  const int64_t first = begin * task_elements, last = end * task_elements < count ? end * task_elements : count;
  const void *in[max_inputs] = {0};
  for (int i = 0; i < call->num_inputs; i++) {
    in[i] = (const char *)call->inputs[i]->data + first * (int64_t)honed_dtype_bytes(call->inputs[i]->dtype);
  }
  e->kernel.span(e, in, (char *)call->outputs[0]->data + first * (int64_t)honed_dtype_bytes(call->outputs[0]->dtype), last - first);
}

/* The spans of rows [row_begin, row_end) of `planes` planes from plane `p` on. */
static void run_rows(const honed_call *call, int64_t p, int64_t planes, int64_t row_begin, int64_t row_end) {
  const honed_elementwise *e = call->params;
  const elementwise_plan *plan = call->plan;
  const honed_tensor *out = call->outputs[0];
  const honed_planes to = honed_planes_of(out);
  const int64_t width = out->dims[3], rows = row_end - row_begin;
  const int64_t row = to.row_bytes / to.element_bytes;
  const honed_span span = plan->broadcast ? e->broadcast.span : e->kernel.span;
  const int64_t spans = plan->same_rows ? 1 : rows;
  const int64_t n = plan->same_planes ? planes * out->plane_stride : plan->same_rows ? (rows - 1) * row + width : width;
  honed_planes from[max_inputs];
  for (int i = 0; i < call->num_inputs; i++) from[i] = honed_planes_of(call->inputs[i]);
  for (int64_t y = row_begin; y < row_begin + spans; y++) {
    const void *in[max_inputs] = {0};
    for (int i = 0; i < call->num_inputs; i++) in[i] = from[i].data + p * from[i].plane_bytes + y * from[i].row_bytes;
    if (plan->broadcast) {
      const int64_t channels = out->dims[1];
      in[1] = from[1].data + (p / channels * plan->image_step + p % channels * plan->channel_step) * from[1].element_bytes;
    }
    span(e, in, to.data + p * to.plane_bytes + y * to.row_bytes, n);
  }
}

static void run_planes(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const elementwise_plan *plan = call->plan;
  const honed_tensor *out = call->outputs[0];
  const honed_planes to = honed_planes_of(out);
  const int64_t merge = plan->same_planes && merged_elements > out->plane_stride ? merged_elements / out->plane_stride : 1;
  for (int64_t task = begin; task < end;) {
    const honed_block block = honed_block_at(&plan->blocks, out->dims[2], task);
    const int64_t planes = plan->same_planes && merge < end - task ? merge : plan->same_planes ? end - task : 1;
    if (block.row_end > block.row_begin && out->dims[3] > 0) run_rows(call, block.plane, planes, block.row_begin, block.row_end);
    for (int64_t i = 0; i < planes && out->layout == HONED_PLANAR; i++) {
      honed_planar_fill_gaps(out, to.data + (block.plane + i) * to.plane_bytes, block.row_begin, block.row_end);
    }
    task += planes;
  }
}

/* Planes that are one span each, with an element of input 1: where planes are small, finding them would take longer than what is done to
 * them. */
static void run_planes_of_one(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_elementwise *e = call->params;
  const elementwise_plan *plan = call->plan;
  const honed_tensor *out = call->outputs[0];
  const honed_planes to = honed_planes_of(out), from = honed_planes_of(call->inputs[0]), of = honed_planes_of(call->inputs[1]);
  const int64_t channels = out->dims[1], height = out->dims[2], n = honed_planar_extent(out);
  int64_t image = begin / channels, channel = begin % channels;
  for (int64_t p = begin; p < end; p++) {
    const int64_t one = image * plan->image_step + channel * plan->channel_step;
    const void *in[max_inputs] = {from.data + p * from.plane_bytes, of.data + one * of.element_bytes};
    char *plane = to.data + p * to.plane_bytes;
    e->broadcast.span(e, in, plane, n);
    honed_planar_fill_gaps(out, plane, 0, height);
    if (++channel < channels) continue;
    channel = 0;
    image++;
  }
}

static bool same_shape(const honed_tensor *a, const honed_tensor *b) {
  return a->rank == b->rank && memcmp(a->dims, b->dims, sizeof a->dims) == 0;
}

/* b is dense [N or 1, C or 1, 1, 1] beside a planar a. */
static bool broadcasts(const honed_tensor *a, const honed_tensor *b) {
  return a->layout == HONED_PLANAR && b->layout == HONED_DENSE && b->rank == 4 && b->dims[2] == 1 && b->dims[3] == 1 &&
         (b->dims[0] == 1 || b->dims[0] == a->dims[0]) && (b->dims[1] == 1 || b->dims[1] == a->dims[1]);
}

static honed_status check_shapes(const honed_call *call, bool *broadcast, honed_context *ctx) {
  const honed_tensor *a = call->inputs[0];
  *broadcast = false;
  if (call->num_inputs == 1 || same_shape(a, call->inputs[1])) return HONED_OK;
  const honed_elementwise *e = call->params;
  *broadcast = e->broadcast.span != NULL && broadcasts(a, call->inputs[1]);
  if (*broadcast) return HONED_OK;
  char text[2][128];
  honed_tensor_describe(a, text[0], sizeof text[0]);
  honed_tensor_describe(call->inputs[1], text[1], sizeof text[1]);
  return honed_fail(ctx, HONED_INVALID_SHAPE, "inputs are %s and %s, expected the same shape%s", text[0], text[1],
                    e->broadcast.span != NULL ? ", or a dense [N or 1, C or 1, 1, 1] beside a planar one" : "");
}

/* The tensors that are walked: the inputs (without one that is broadcast) and the output. */
static void compare_strides(const honed_call *call, elementwise_plan *plan) {
  const honed_tensor *out = call->outputs[0];
  const honed_planes to = honed_planes_of(out);
  plan->same_rows = true;
  plan->same_planes = out->layout == HONED_PLANAR && plan->blocks.per_plane == 1 && !plan->broadcast;
  for (int i = 0; i < call->num_inputs - plan->broadcast; i++) {
    const honed_tensor *in = call->inputs[i];
    const honed_planes from = honed_planes_of(in);
    plan->same_rows = plan->same_rows && from.row_bytes / from.element_bytes == to.row_bytes / to.element_bytes;
    plan->same_planes = plan->same_planes && in->plane_stride == out->plane_stride; /* 0 of a dense one */
  }
  plan->same_planes = plan->same_planes && plan->same_rows && out->plane_stride > 0;
}

honed_status honed_elementwise_reshape(honed_call *call, honed_context *ctx) {
  const honed_tensor *a = call->inputs[0];
  bool broadcast = false;
  honed_status status = check_shapes(call, &broadcast, ctx);
  if (status == HONED_OK) status = honed_call_output(call, 0, a->rank, a->dims, ctx);
  if (status != HONED_OK) return status;
  const honed_tensor *out = call->outputs[0];
  bool planar = out->layout == HONED_PLANAR;
  for (int i = 0; i < call->num_inputs; i++) planar = planar || call->inputs[i]->layout == HONED_PLANAR;
  call->scratch_bytes = 0;
  call->plan = NULL;
  if (!planar) {
    call->kernel = run_dense;
    call->num_tasks = (honed_tensor_count(a) + task_elements - 1) / task_elements;
    return HONED_OK;
  }
  void *memory = NULL;
  status = honed_call_alloc(call, sizeof(elementwise_plan), &memory, ctx);
  if (status != HONED_OK) return status;
  elementwise_plan *plan = memory;
  plan->blocks = honed_blocks_make(a->dims[2], a->dims[3], task_elements);
  plan->broadcast = broadcast;
  plan->image_step = broadcast && call->inputs[1]->dims[0] > 1 ? call->inputs[1]->dims[1] : 0;
  plan->channel_step = broadcast && call->inputs[1]->dims[1] > 1 ? 1 : 0;
  compare_strides(call, plan);
  call->plan = plan;
  const bool whole = broadcast && plan->same_rows && plan->blocks.per_plane == 1 && out->layout == HONED_PLANAR;
  call->kernel = whole ? run_planes_of_one : run_planes;
  call->num_tasks = a->dims[0] * a->dims[1] * plan->blocks.per_plane;
  return HONED_OK;
}
