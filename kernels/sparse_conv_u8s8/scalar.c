#include <string.h>

#include "sparse_conv_u8s8.h"

typedef struct operands {
  const honed_sparse_conv_u8s8 *p;
  const honed_sparse_conv_plan *plan;
  const uint8_t *x;        /* image */
  const uint8_t *residual; /* image, or NULL */
  const honed_tensor *r, *y;
} operands;

static int32_t accumulate(const operands *o, const honed_conv_list *l, int row, int64_t pixel) {
  const int8_t *w = (const int8_t *)o->p->lists.weights + 4 * ((int64_t)l->weights + row);
  const int32_t *offsets = o->plan->offsets + 4 * (int64_t)l->begin;
  /* Unsigned: a sum beyond 32 bits wraps, as the vector units have it. */
  uint32_t acc = (uint32_t)o->p->requantize.init[l->rows[row]];
  for (int section = 0; section < HONED_SECTIONS; section++) {
    const int streams = honed_section_streams(section, l->size), stream = honed_section_stream(section, row);
    for (int32_t step = 0; step < l->steps[section]; step++, w += 4 * l->size, offsets += 4 * streams) {
      for (int k = 0; k < 4; k++) acc += (uint32_t)(w[k] * o->x[offsets[4 * stream + k] + pixel]);
    }
  }
  return (int32_t)acc;
}

static void run_pixel(const operands *o, const honed_conv_list *l, int row, int64_t image, int64_t pixel) {
  const honed_requantize *r = &o->p->requantize;
  const int32_t oc = l->rows[row];
  const bool valid = o->plan->valid[pixel / HONED_WORD] >> (pixel % HONED_WORD) & 1;
  const int64_t at = image * o->y->image_stride + oc * o->y->plane_stride + pixel;
  if (o->y->dtype == HONED_F32) {
    ((float *)o->y->data)[at] = valid ? honed_requantize_f32(r, oc, accumulate(o, l, row, pixel)) : 0.0f;
  } else if (!valid) {
    ((uint8_t *)o->y->data)[at] = o->y->zero_point;
  } else if (o->residual != NULL) {
    const uint8_t residual = o->residual[oc * o->r->plane_stride + pixel];
    ((uint8_t *)o->y->data)[at] = honed_requantize_sum_u8(r, oc, accumulate(o, l, row, pixel), residual);
  } else {
    ((uint8_t *)o->y->data)[at] = honed_requantize_u8(r, oc, accumulate(o, l, row, pixel));
  }
}

void honed_sparse_conv_u8s8__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  operands o = {.p = call->params, .plan = call->plan, .y = call->outputs[0]};
  o.r = call->num_inputs == 2 ? call->inputs[1] : NULL;
  for (int64_t i = begin; i < end; i++) {
    const honed_sparse_conv_task t = honed_sparse_conv_task_get(o.plan, o.p->lists.num_lists, i);
    o.x = (const uint8_t *)call->inputs[0]->data + t.image * call->inputs[0]->image_stride;
    o.residual = o.r == NULL ? NULL : (const uint8_t *)o.r->data + t.image * o.r->image_stride;
    for (int64_t list = t.list; list < t.list_end; list++) {
      const honed_conv_list *l = &o.p->lists.lists[list];
      for (int row = 0; row < l->size; row++) {
        for (int64_t pixel = t.pixel; pixel < t.fill_end; pixel++) run_pixel(&o, l, row, t.image, pixel);
      }
    }
  }
}
