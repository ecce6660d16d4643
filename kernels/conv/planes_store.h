/* From sums in split order to the planes of the output, for the vector types of base/x86_bytes_*.h (include one first). */
#ifndef HONED_CONV_PLANES_STORE_H
#define HONED_CONV_PLANES_STORE_H

#include "requantize_bytes.h"

typedef struct planes_target {
  const honed_requantize *requantize;
  const honed_tensor *y;
  const uint8_t *residual; /* image, or NULL */
  int64_t residual_stride; /* of planes */
  const uint64_t *valid;   /* of y, per 64 pixels of a plane */
  int64_t image;
} planes_target;

static inline planes_target planes_target_make(const honed_call *call, const honed_requantize *requantize, const uint64_t *valid,
                                               int64_t image) {
  planes_target t = {.requantize = requantize, .y = call->outputs[0], .valid = valid, .image = image};
  if (call->num_inputs == 2) {
    const honed_tensor *residual = call->inputs[1];
    t.residual = (const uint8_t *)residual->data + image * residual->image_stride;
    t.residual_stride = residual->plane_stride;
  }
  return t;
}

/* Stores `vectors` adjacent vectors of one output channel. The kind of output is asked for once, so that each kind's constants are
 * broadcast once. */
static inline __attribute__((always_inline)) void planes_store(const planes_target *t, int64_t oc, int64_t pixel, int vectors,
                                                               const ints acc[]) {
  const honed_requantize *r = t->requantize;
  const int64_t at = t->image * t->y->image_stride + oc * t->y->plane_stride + pixel;
  uint64_t valid[4];
  HONED_UNROLL4(
      v, if (v < vectors) {
        const int64_t first = pixel + v * PIXELS;
        valid[v] = t->valid[first / 64] >> (first % 64);
      })
  if (t->y->dtype == HONED_F32) {
    /* Copies, so that the sums themselves have no address and stay in registers. */
    HONED_UNROLL4(
        v, if (v < vectors) {
          const ints copy[4] = {acc[4 * v], acc[4 * v + 1], acc[4 * v + 2], acc[4 * v + 3]};
          requantize_store_f32(r, oc, copy, valid[v], (float *)t->y->data + at + v * PIXELS);
        })
    return;
  }
  uint8_t *out = (uint8_t *)t->y->data + at;
  const bytes fill = bytes_set1(t->y->zero_point);
  bytes y[4];
  if (t->residual != NULL) {
    const uint8_t *residual = t->residual + oc * t->residual_stride + pixel;
    HONED_UNROLL4(v, if (v < vectors) y[v] = requantize_sum_bytes(r, oc, &acc[4 * v], bytes_load(residual + v * PIXELS));)
  } else {
    HONED_UNROLL4(v, if (v < vectors) y[v] = requantize_bytes(r, oc, &acc[4 * v]);)
  }
  HONED_UNROLL4(v, if (v < vectors) bytes_store(out + v * PIXELS, bytes_blend(valid[v], y[v], fill));)
}

#endif
