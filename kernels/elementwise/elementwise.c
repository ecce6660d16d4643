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

/* A walk over blocks, and what stays as it is on the way: where planes are small, finding that for each would take longer than what is
 * done to them. */
typedef struct walk {
  const honed_elementwise *params;
  const elementwise_plan *plan;
  const honed_tensor *out;
  honed_span span;
  int num_inputs;
  honed_planes from[max_inputs], to;
  int64_t row; /* elements from one row of the output to the next */
  honed_block block;
  int64_t image, channel; /* of the block, where planes are taken one by one */
} walk;

static walk walk_at(const honed_call *call, int64_t task) {
  const honed_elementwise *e = call->params;
  const elementwise_plan *plan = call->plan;
  const honed_tensor *out = call->outputs[0];
  walk w = {.params = e,
            .plan = plan,
            .out = out,
            .span = plan->broadcast ? e->broadcast.span : e->kernel.span,
            .num_inputs = call->num_inputs,
            .to = honed_planes_of(out),
            .block = honed_block_at(&plan->blocks, out->dims[2], task)};
  for (int i = 0; i < call->num_inputs; i++) w.from[i] = honed_planes_of(call->inputs[i]);
  w.row = w.to.row_bytes / w.to.element_bytes;
  w.image = w.block.plane / out->dims[1];
  w.channel = w.block.plane % out->dims[1];
  return w;
}

/* To the next block, `planes` planes on where this one is the last of its own. */
static void walk_on(walk *w, int64_t planes) {
  const int64_t height = w->out->dims[2];
  const bool last = w->block.row_end == height;
  w->block.row_begin = last ? 0 : w->block.row_end;
  w->block.row_end = honed_smaller(w->block.row_begin + w->plan->blocks.rows, height);
  if (!last) return;
  w->block.plane += planes;
  if (++w->channel < w->out->dims[1]) return;
  w->channel = 0;
  w->image++;
}

/* The spans of the block's rows, in `planes` planes. */
static void run_rows(const walk *w, int64_t planes) {
  const elementwise_plan *plan = w->plan;
  const honed_block *b = &w->block;
  const int64_t width = w->out->dims[3], rows = b->row_end - b->row_begin, p = b->plane;
  const int64_t spans = plan->same_rows ? 1 : rows;
  const int64_t n = plan->same_planes ? planes * w->out->plane_stride : plan->same_rows ? (rows - 1) * w->row + width : width;
  for (int64_t y = b->row_begin; y < b->row_begin + spans; y++) {
    const void *in[max_inputs] = {0};
    for (int i = 0; i < w->num_inputs; i++) in[i] = w->from[i].data + p * w->from[i].plane_bytes + y * w->from[i].row_bytes;
    if (plan->broadcast) {
      in[1] = w->from[1].data + (w->image * plan->image_step + w->channel * plan->channel_step) * w->from[1].element_bytes;
    }
    w->span(w->params, in, w->to.data + p * w->to.plane_bytes + y * w->to.row_bytes, n);
  }
}

static void run_planes(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  walk w = walk_at(call, begin);
  const honed_tensor *out = w.out;
  const bool merges = w.plan->same_planes;
  const int64_t most = merges && merged_elements > out->plane_stride ? merged_elements / out->plane_stride : 1;
  for (int64_t task = begin; task < end;) {
    const int64_t planes = merges ? honed_smaller(most, end - task) : 1;
    if (w.block.row_end > w.block.row_begin && out->dims[3] > 0) run_rows(&w, planes);
    for (int64_t i = 0; i < planes && out->layout == HONED_PLANAR; i++) {
      honed_planar_fill_gaps(out, w.to.data + (w.block.plane + i) * w.to.plane_bytes, w.block.row_begin, w.block.row_end);
    }
    walk_on(&w, planes);
    task += planes;
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
  call->kernel = run_planes;
  call->num_tasks = a->dims[0] * a->dims[1] * plan->blocks.per_plane;
  return HONED_OK;
}
