/* How a band gets into scratch. Define before inclusion
 *
 *   void interleave(const uint8_t *a, const uint8_t *b, const uint8_t *c, const uint8_t *d, uint8_t *out)
 *                                          64 pixels of four planes, side by side per pixel */
#include "conv_u8s8.h"

static const uint8_t zeros[64];

/* Copies the band's pixels, with their halo, to scratch [quads][phases][plane_pixels][4]. A channel that the last quad lacks is 0. */
static void copy_band(const honed_conv_u8s8 *p, const honed_band_plan *plan, const honed_band_task *t, const honed_tensor *x,
                      void *scratch) {
  const int64_t channels = p->conv.in_channels / p->conv.group;
  const uint8_t *image = (const uint8_t *)x->data + t->image * x->image_stride;
  const uint8_t *in = image + t->vector * HONED_VECTOR + plan->first_shift + t->group * channels * plan->phases * x->plane_stride;
  uint8_t *out = scratch;
  for (int64_t quad = 0; quad < plan->units; quad++) {
    for (int64_t phase = 0; phase < plan->phases; phase++) {
      const uint8_t *plane[4];
      int64_t step[4];
      for (int64_t k = 0; k < 4; k++) {
        const bool present = 4 * quad + k < channels;
        plane[k] = present ? in + ((4 * quad + k) * plan->phases + phase) * x->plane_stride : zeros;
        step[k] = present ? 64 : 0;
      }
      for (int64_t pixel = 0; pixel < plan->plane_pixels; pixel += 64, out += 256) {
        interleave(plane[0], plane[1], plane[2], plane[3], out);
        for (int64_t k = 0; k < 4; k++) plane[k] += step[k];
      }
    }
  }
}
