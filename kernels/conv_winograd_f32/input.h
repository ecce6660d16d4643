/* From planes to transformed tiles. */
#ifndef HONED_CONV_WINOGRAD_F32_INPUT_H
#define HONED_CONV_WINOGRAD_F32_INPUT_H

/* A row of `count` elements, zeros on both sides. */
typedef struct row {
  const float *data;
  int64_t count;
} row;

/* Elements [at, at + a vector). */
ALWAYS vf load_window(const row *r, int64_t at) {
  if (at >= 0 && at + VF_LANES <= r->count) return vf_load(r->data + at);
  const int64_t first = at < 0 ? -at : 0, last = r->count - at < VF_LANES ? r->count - at : VF_LANES;
  return first < last ? vf_load_lanes((const float *)((uintptr_t)r->data + (uintptr_t)at * sizeof(float)), first, last) : vf_set1(0.0f);
}

ALWAYS float element(const row *r, int64_t at) { return at >= 0 && at < r->count ? r->data[at] : 0.0f; }

/* out[i]: every m-th element from `at` + i on, for i < m. */
ALWAYS void split(int tile, const row *r, int64_t at, vf *out) {
  const vf a = load_window(r, at), b = load_window(r, at + VF_LANES);
  if (tile == 2) {
    out[0] = vf_even(a, b);
    out[1] = vf_odd(a, b);
    return;
  }
  const vf c = load_window(r, at + 2 * VF_LANES), d = load_window(r, at + 3 * VF_LANES);
  const vf even_lo = vf_even(a, b), even_hi = vf_even(c, d), odd_lo = vf_odd(a, b), odd_hi = vf_odd(c, d);
  out[0] = vf_even(even_lo, even_hi);
  out[1] = vf_even(odd_lo, odd_hi);
  out[2] = vf_odd(even_lo, even_hi);
  out[3] = vf_odd(odd_lo, odd_hi);
}

/* out[j][t] = element m * t + j - pad of a row; for j >= m that is out[j - m][t + 1]. Stores whole vectors. */
ALWAYS void split_row(form f, const row *r, int64_t pad, int64_t tiles, float *out, int64_t stride) {
  for (int64_t t = 0; t < tiles; t += VF_LANES) {
    const int64_t at = f.tile * t - pad;
    vf v[7];
    split(f.tile, r, at, v);
    HONED_UNROLL3(j, if (j < f.size - f.tile) v[f.tile + j] = vf_shift_in(v[j], element(r, at + f.tile * VF_LANES + j));)
    HONED_UNROLL7(j, if (j < f.size) vf_store(out + j * stride + t, v[j]);)
  }
}

/* Phases [m][n][tile rows][row_tiles] of the input rows of the band's tile rows: input row m * r + i is row r of phase i. */
ALWAYS void split_plane(form f, const band *b, const float *plane) {
  const honed_winograd_plan *plan = b->plan;
  const honed_conv *c = &b->p->conv;
  const int64_t first = b->task.tile / plan->row_tiles, last = (b->task.tile_end - 1) / plan->row_tiles;
  const int64_t rows = f.tile * (last - first) + f.size;
  for (int64_t r = 0; r < rows; r++) {
    float *out = b->phases + r % f.tile * f.size * plan->phase_stride + r / f.tile * plan->row_tiles;
    const int64_t y = f.tile * first + r - c->pad_top;
    if (y >= 0 && y < b->x->dims[2]) {
      const row in = {plane + y * b->x->row_stride, b->x->dims[3]};
      split_row(f, &in, c->pad_left, plan->row_tiles, out, plan->phase_stride);
    } else {
      for (int j = 0; j < f.size; j++) memset(out + j * plan->phase_stride, 0, (size_t)plan->row_tiles * sizeof *out);
    }
  }
}

/* How many of a tile's rows and columns the filter reads: all, or one less. */
typedef struct extent {
  int64_t rows, columns;
} extent;

/* Of a phase of a strided convolution the filter may have a tap less: what that would read is outside of the tile's inputs. */
static extent extent_of(const honed_conv *c, int tile, int64_t channel) {
  const int64_t y = channel / c->phases_w % c->phases_h, x = channel % c->phases_w;
  return (extent){tile - 1 + honed_divide_up(c->kernel_h - y, c->stride_h), tile - 1 + honed_divide_up(c->kernel_w - x, c->stride_w)};
}

/* Transforms a vector of tiles; `out` is its place in the first point. */
ALWAYS void transform_tiles(form f, const honed_winograd_plan *plan, extent read, const float *phases, float *out) {
  vf d[49], half[49];
  HONED_UNROLL7(
      i, if (i < f.size) {
        const float *line = phases + i % f.tile * f.size * plan->phase_stride + i / f.tile * plan->row_tiles;
        HONED_UNROLL7(
            j, if (j < f.size) {
              const bool outside = (i == f.size - 1 && i >= read.rows) || (j == f.size - 1 && j >= read.columns);
              d[i * f.size + j] = outside ? vf_set1(0.0f) : vf_load(line + j * plan->phase_stride);
            })
      })
  HONED_UNROLL7(j, if (j < f.size) transform_input(f.size, d + j, f.size, half + j, f.size);)
  HONED_UNROLL7(
      i, if (i < f.size) {
        vf y[7];
        transform_input(f.size, half + i * f.size, 1, y, 1);
        HONED_UNROLL7(j, if (j < f.size) vf_store(out + (i * f.size + j) * plan->point_stride, y[j]);)
      })
}

/* Fills `transformed` with the band's tiles. */
ALWAYS void transform_band(form f, const band *b) {
  const honed_winograd_plan *plan = b->plan;
  const int64_t skipped = b->task.tile % plan->row_tiles, tiles = b->task.tile_end - b->task.tile;
  const float *image = (const float *)b->x->data + b->task.image * b->x->image_stride;
  for (int64_t c = 0; c < plan->channels; c++) {
    split_plane(f, b, image + (b->task.group * plan->channels + c) * b->x->plane_stride);
    const extent read = extent_of(&b->p->conv, f.tile, c);
    for (int64_t t = 0; t < tiles; t += VF_LANES) {
      transform_tiles(f, plan, read, b->phases + skipped + t, b->transformed + c * plan->band_tiles + t);
    }
  }
}

#endif
