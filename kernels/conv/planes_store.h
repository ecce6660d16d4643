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

ALWAYS void planes_store_f32(const planes_target *t, const int32_t *channels, int rows, int64_t pixel, int vectors, const uint64_t valid[],
                             const ints acc[]) {
  float *const y = (float *)t->y->data + t->image * t->y->image_stride + pixel;
  /* Copies, so that the sums themselves have no address and stay in registers. */
  HONED_UNROLL4(
      row, if (row < rows) {
        HONED_UNROLL4(
            v, if (v < vectors) {
              const ints *sums = &acc[(row * vectors + v) * 4];
              const ints copy[4] = {sums[0], sums[1], sums[2], sums[3]};
              requantize_store_f32(t->requantize, channels[row], copy, valid[v], y + channels[row] * t->y->plane_stride + v * PIXELS);
            })
      })
}

/* As u8, with an activation. */
ALWAYS void planes_store_gated(const planes_target *t, const int32_t *channels, int rows, int64_t pixel, int vectors,
                               const uint64_t valid[], const ints acc[]) {
  uint8_t *const y = (uint8_t *)t->y->data + t->image * t->y->image_stride + pixel;
  HONED_UNROLL4(
      row, if (row < rows) {
        HONED_UNROLL4(
            v, if (v < vectors) {
              const ints *sums = &acc[(row * vectors + v) * 4];
              const ints copy[4] = {sums[0], sums[1], sums[2], sums[3]};
              const bytes q = requantize_bytes(t->requantize, channels[row], copy);
              bytes_store(y + channels[row] * t->y->plane_stride + v * PIXELS, bytes_blend(valid[v], q, bytes_set1(t->y->zero_point)));
            })
      })
}

/* As u8; joins: with the residual. What the channels have in common is read before the first of them is stored, since the compiler has to
 * take everything in memory for changed after that, and the flags are constants. */
ALWAYS void planes_store_u8(const planes_target *t, bool joins, bool shifts, bool saturates, bool residual_first, const int32_t *channels,
                            int rows, int64_t pixel, int vectors, const uint64_t valid[], const ints acc[]) {
  honed_requantize r = *t->requantize;
  if (!shifts) r.zero_point = 0;
  r.saturates = r.sum_saturates = saturates;
  r.gate.kind = HONED_GATE_NONE;
  r.residual_first = residual_first;
  const int64_t stride = t->y->plane_stride, residual_stride = t->residual_stride;
  uint8_t *const y = (uint8_t *)t->y->data + t->image * t->y->image_stride + pixel;
  const uint8_t *const residual = t->residual + (joins ? pixel : 0);
  const bytes fill = bytes_set1(t->y->zero_point);
  HONED_UNROLL4(
      row, if (row < rows) {
        const int64_t oc = channels[row];
        HONED_UNROLL4(
            v, if (v < vectors) {
              const ints *sums = &acc[(row * vectors + v) * 4];
              const bytes q = joins ? requantize_sum_bytes(&r, oc, sums, bytes_load(residual + oc * residual_stride + v * PIXELS))
                                    : requantize_bytes(&r, oc, sums);
              bytes_store(y + oc * stride + v * PIXELS, bytes_blend(valid[v], q, fill));
            })
      })
}

/* Stores `vectors` adjacent vectors of each of `rows` output channels; acc: [rows][vectors][4], of up to four vectors. */
ALWAYS void planes_store(const planes_target *t, const int32_t *channels, int rows, int64_t pixel, int vectors, const ints acc[]) {
  const honed_requantize *r = t->requantize;
  uint64_t valid[4];
  HONED_UNROLL4(
      v, if (v < vectors) {
        const int64_t first = pixel + v * PIXELS;
        valid[v] = t->valid[first / 64] >> (first % 64);
      })
#define PLANES_STORE_U8(joins, shifts, saturates, first) \
  planes_store_u8(t, joins, shifts, saturates, first, channels, rows, pixel, vectors, valid, acc)
  if (t->y->dtype == HONED_F32) {
    planes_store_f32(t, channels, rows, pixel, vectors, valid, acc);
  } else if (r->gate.kind != HONED_GATE_NONE) {
    planes_store_gated(t, channels, rows, pixel, vectors, valid, acc);
  } else if (t->residual == NULL) {
    if (r->saturates && r->zero_point == 0) {
      PLANES_STORE_U8(false, false, true, false);
    } else if (r->saturates) {
      PLANES_STORE_U8(false, true, true, false);
    } else {
      PLANES_STORE_U8(false, true, false, false);
    }
  } else if (r->sum_saturates) {
    if (r->residual_first) {
      PLANES_STORE_U8(true, true, true, true);
    } else {
      PLANES_STORE_U8(true, true, true, false);
    }
  } else if (r->residual_first) {
    PLANES_STORE_U8(true, true, false, true);
  } else {
    PLANES_STORE_U8(true, true, false, false);
  }
#undef PLANES_STORE_U8
}

#endif
