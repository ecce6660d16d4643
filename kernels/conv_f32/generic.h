/* What the vector kernels share: how a band gets into scratch, and the loops. Define before inclusion what conv/band_generic.h asks for,
 * save copy_band and params. */
#include <string.h>

#include "conv_f32.h"

/* Copies the band's pixels, with their halo, to scratch [channels][phases][plane_pixels]. */
static void copy_band(const honed_conv_f32 *p, const honed_band_plan *plan, const honed_band_task *t, const honed_tensor *x,
                      void *scratch) {
  const float *image = (const float *)x->data + t->image * x->image_stride;
  const int64_t planes = plan->units * plan->phases;
  const float *in = image + t->vector * HONED_VECTOR + plan->first_shift + t->group * planes * x->plane_stride;
  float *out = scratch;
  (void)p;
  for (int64_t plane = 0; plane < planes; plane++) {
    memcpy(out + plane * plan->plane_pixels, in + plane * x->plane_stride, (size_t)plan->plane_pixels * sizeof *out);
  }
}

#include "conv/band_generic.h"
