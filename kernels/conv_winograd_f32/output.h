/* From sums to planes. */
#ifndef HONED_CONV_WINOGRAD_F32_OUTPUT_H
#define HONED_CONV_WINOGRAD_F32_OUTPUT_H

#include "base/integers.h"
#include "conv/gate_vector.h"

/* Tiles [m][m][band_tiles] of output channel `row` of the block. */
ALWAYS void untransform(form f, const band *b, int64_t row) {
  const honed_winograd_plan *plan = b->plan;
  const int64_t tiles = plan->band_tiles, step = HONED_WINOGRAD_ROWS * tiles, count = b->task.tile_end - b->task.tile;
  for (int64_t t = 0; t < count; t += VF_LANES) {
    const float *sums = b->sums + row * tiles + t;
    vf half[28];
    HONED_UNROLL7(
        j, if (j < f.size) {
          vf s[7];
          HONED_UNROLL7(i, if (i < f.size) s[i] = vf_load(sums + (i * f.size + j) * step);)
          transform_output(f.size, s, 1, half + j, f.size);
        })
    HONED_UNROLL4(
        i, if (i < f.tile) {
          vf y[4];
          transform_output(f.size, half + i * f.size, 1, y, 1);
          HONED_UNROLL4(j, if (j < f.tile) vf_store(b->tiles + (i * f.tile + j) * tiles + t, y[j]);)
        })
  }
}

typedef struct out_row {
  const honed_output_f32 *output;
  vf bias;
  const float *residual; /* or NULL */
  float *out;
} out_row;

ALWAYS void store_pixels(const out_row *o, int64_t x, vf sum, int64_t n) {
  if (n <= 0) return;
  const bool whole = n >= VF_LANES;
  sum = vf_add(sum, o->bias);
  if (o->residual != NULL) sum = vf_add(sum, whole ? vf_load(o->residual + x) : vf_load_part(o->residual + x, n));
  vf y = vf_min(vf_max(sum, vf_set1(o->output->clamp_lo)), vf_set1(o->output->clamp_hi));
  if (o->output->gate.kind != HONED_GATE_NONE) y = gate_vector(&o->output->gate, y);
  if (whole) {
    vf_store(o->out + x, y);
  } else {
    vf_store_part(o->out + x, y, n);
  }
}

/* Joins the phases of a row of tiles to n pixels. */
ALWAYS void join_row(form f, const out_row *o, const float *phases, int64_t stride, int64_t n) {
  for (int64_t t = 0, x = 0; x < n; t += VF_LANES, x += f.tile * VF_LANES) {
    vf v[4];
    HONED_UNROLL4(j, if (j < f.tile) v[j] = vf_load(phases + j * stride + t);)
    if (f.tile == 4) {
      const vf even_lo = vf_zip_lo(v[0], v[2]), even_hi = vf_zip_hi(v[0], v[2]);
      const vf odd_lo = vf_zip_lo(v[1], v[3]), odd_hi = vf_zip_hi(v[1], v[3]);
      store_pixels(o, x, vf_zip_lo(even_lo, odd_lo), n - x);
      store_pixels(o, x + VF_LANES, vf_zip_hi(even_lo, odd_lo), n - x - VF_LANES);
      store_pixels(o, x + 2 * VF_LANES, vf_zip_lo(even_hi, odd_hi), n - x - 2 * VF_LANES);
      store_pixels(o, x + 3 * VF_LANES, vf_zip_hi(even_hi, odd_hi), n - x - 3 * VF_LANES);
    } else {
      store_pixels(o, x, vf_zip_lo(v[0], v[1]), n - x);
      store_pixels(o, x + VF_LANES, vf_zip_hi(v[0], v[1]), n - x - VF_LANES);
    }
  }
}

/* Writes the band's pixels of output channel oc, and the gaps behind the rows that end in the band. */
ALWAYS void store_band(form f, const band *b, int64_t oc) {
  const honed_winograd_plan *plan = b->plan;
  const honed_tensor *y = b->y, *r = b->residual;
  float *plane = (float *)y->data + b->task.image * y->image_stride + oc * y->plane_stride;
  const float *residual = r == NULL ? NULL : (const float *)r->data + b->task.image * r->image_stride + oc * r->plane_stride;
  out_row o = {.output = &b->p->output, .bias = vf_set1(b->p->output.bias[oc])};
  for (int64_t row = b->task.tile / plan->row_tiles; row * plan->row_tiles < b->task.tile_end; row++) {
    const int64_t first = row * plan->row_tiles, begin = honed_larger(first, b->task.tile);
    const int64_t end = honed_smaller(first + plan->row_tiles, b->task.tile_end), x = f.tile * (begin - first);
    const int64_t n = honed_smaller(f.tile * (end - first), y->dims[3]) - x, y_end = honed_smaller(f.tile * (row + 1), y->dims[2]);
    for (int64_t i = f.tile * row; i < y_end; i++) {
      o.out = plane + i * y->row_stride + x;
      o.residual = residual == NULL ? NULL : residual + i * r->row_stride + x;
      join_row(f, &o, b->tiles + i % f.tile * f.tile * plan->band_tiles + begin - b->task.tile, plan->band_tiles, n);
    }
    if (end == first + plan->row_tiles) honed_planar_fill_gaps(y, (char *)plane, f.tile * row, y_end);
  }
}

#endif
