#include "code_write.h"

#include <string.h>

#include "base/integers.h"

enum {
  reach = 512,   /* short distances are from -reach to reach - 4 bytes */
  limit_lo = 30, /* registers */
  limit_hi = 31,
  column_0 = 28, /* and the next: columns take turns */
  valid = 1,     /* masks */
  first_tap = 2,
  line = 64,         /* bytes */
  line_products = 5, /* of which weights and instructions fill a line */
  least_apart = 16,  /* products from one prefetch to the next */
};

void honed_code_writer_begin(honed_code_writer *w) {
  for (int turn = 0; turn < 2; turn++) {
    w->load[turn][0] = x86_load_head(column_0 + turn, X86_RDI, 0);
    for (int kx = 0; kx + 1 < HONED_CODE_MASKS; kx++) w->load[turn][1 + kx] = x86_load_head(column_0 + turn, X86_RDI, first_tap + kx);
    for (int sum = 0; sum < HONED_CODE_ROWS; sum++) w->fma[turn][sum] = x86_fma_one_head(sum, column_0 + turn, X86_RSI);
  }
}

int64_t honed_code_bytes(int64_t rows, int64_t columns, int64_t weights) {
  const int64_t of_block = 3 * line + 64 + HONED_CODE_MASKS * 6, of_row = 7 + 10 + 6 + 6 + 10;
  const int64_t steps = (rows + weights) * (int64_t)sizeof(float) / (2 * reach) + 1, fetches = weights / least_apart + 1;
  return of_block + (rows + weights) * (int64_t)sizeof(float) + rows * of_row + columns * 10 + weights * 7 + steps * 7 + fetches * 8;
}

/* Moves the register on where the stream of weights leaves its reach. */
static void stay_near(honed_code_writer *w) {
  if (w->distance < reach) return;
  x86_add(&w->code, X86_RSI, 2 * reach);
  w->distance = -reach;
}

/* Appends a weight to the stream; returns where the code finds it. */
static x86_memory put_weight(honed_code_writer *w, float weight) {
  stay_near(w);
  *w->weights++ = weight;
  const x86_memory at = {X86_RSI, w->distance};
  w->distance += (int32_t)sizeof(float);
  return at;
}

/* The next block's lines, spread evenly over as many runs as this one has. */
static void fetch_ahead(honed_code_writer *w) {
  const int64_t apart = w->tiles * line_products > least_apart ? w->tiles * line_products : least_apart;
  if (w->written < (w->lines + 1) * apart) return;
  x86_prefetch(&w->code, (x86_memory){X86_RAX, (int32_t)(w->lines++ * line)});
}

static void write_begin(honed_code_writer *w, int64_t begin, int64_t end) {
  x86_begin(&w->code);
  x86_load_seventh(&w->code);
  for (int64_t kx = 0; w->masked && kx < w->conv->kernel_w; kx++) {
    x86_load_mask(&w->code, first_tap + (int)kx, X86_RCX, (int8_t)((1 + kx) * (int64_t)sizeof(uint16_t)));
  }
  x86_load_mask(&w->code, valid, X86_RCX, 0);
  int sum = 0;
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    for (int r = 0; r < l->size; r++) x86_broadcast(&w->code, sum++, put_weight(w, w->output->bias[l->rows[r]]));
  }
}

/* Sorts the block's weights by their columns; those of one column stay in the order of their lists. */
static void sort_products(honed_code_writer *w, int64_t begin, int64_t end) {
  const int64_t columns = honed_conv_ids(w->conv);
  memset(w->ends, 0, (size_t)columns * sizeof *w->ends);
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    for (int64_t entry = l->begin; entry < honed_conv_list_end(l); entry++) w->ends[honed_conv_lists_id(w->lists, entry)] += l->size;
  }
  int32_t before = 0;
  for (int64_t id = 0; id < columns; id++) {
    const int32_t count = w->ends[id];
    w->ends[id] = before;
    before += count;
  }
  int32_t sum = 0;
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    const float *weights = (const float *)w->lists->weights + l->weights;
    for (int64_t entry = l->begin; entry < honed_conv_list_end(l); entry++, weights += l->size) {
      int32_t *at = &w->ends[honed_conv_lists_id(w->lists, entry)];
      for (int r = 0; r < l->size; r++) w->products[(*at)++] = (honed_code_product){weights[r], sum + r};
    }
    sum += l->size;
  }
}

/* The products of one column, which is read into the register column_0 + turn. */
static void write_column(honed_code_writer *w, int64_t id, int turn, const honed_code_product *p, const honed_code_product *end) {
  fetch_ahead(w);
  const int64_t most = (1 + (end - p) + (end - p) * (int64_t)sizeof(float) / (2 * reach) + 1) * X86_LONGEST;
  if (w->code.full || w->code.end - w->code.at < most) {
    w->code.full = true;
    return;
  }
  const int k = w->masked ? 1 + (int)(id % w->conv->kernel_w) : 0;
  w->code.at = x86_put_load(w->code.at, w->load[turn][k], w->of_tap[id] * (int32_t)sizeof(float));
  w->written += end - p;
  while (p < end) {
    stay_near(w);
    const int64_t count = honed_smaller(end - p, (reach - w->distance) / (int64_t)sizeof(float));
    uint8_t *at = w->code.at;
    for (int64_t i = 0; i < count; i++) {
      w->weights[i] = p[i].weight;
      at = x86_put_fma_one(at, w->fma[turn][p[i].sum], (int8_t)(w->distance / (int)sizeof(float) + i));
    }
    w->code.at = at;
    w->weights += count;
    w->distance += (int32_t)(count * (int64_t)sizeof(float));
    p += count;
  }
}

static void write_end(honed_code_writer *w, int64_t begin, int64_t end) {
  int sum = 0;
  x86_broadcast(&w->code, limit_lo, (x86_memory){X86_R8, 0});
  x86_broadcast(&w->code, limit_hi, (x86_memory){X86_R8, sizeof(float)});
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    for (int r = 0; r < l->size; r++, sum++) {
      const int64_t oc = l->rows[r], bytes = sizeof(float);
      if (w->residual != NULL) x86_add_floats(&w->code, sum, (x86_memory){X86_R9, (int32_t)(oc * w->residual->plane_stride * bytes)});
      x86_max(&w->code, sum, limit_lo);
      x86_min(&w->code, sum, limit_hi, valid);
      x86_store(&w->code, sum, (x86_memory){X86_RDX, (int32_t)(oc * w->y->plane_stride * bytes)});
    }
  }
  x86_return(&w->code);
}

/* Room for the weights of lists [begin, end), before the code that reads them. */
static void place_weights(honed_code_writer *w, int64_t begin, int64_t end) {
  int64_t count = 0;
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    count += (int64_t)l->size * (1 + l->steps[HONED_SECTION_ALL]);
  }
  x86_align(&w->code);
  w->weights = x86_reserve(&w->code, count * (int64_t)sizeof(float));
  w->distance = -reach;
}

void honed_code_write(honed_code_writer *w, int64_t begin, int64_t end, honed_code_block *out) {
  place_weights(w, begin, end);
  if (w->weights == NULL) return;
  out->begin = (const char *)w->weights;
  out->weights = w->weights + reach / (int)sizeof(float);
  x86_align(&w->code);
  uint8_t *start = w->code.at;
  w->written = w->lines = 0;
  write_begin(w, begin, end);
  sort_products(w, begin, end);
  int turn = 0;
  const honed_code_product *at = w->products;
  for (int64_t id = 0; id < honed_conv_ids(w->conv); id++) {
    const honed_code_product *column_end = w->products + w->ends[id];
    if (column_end > at) write_column(w, id, turn++ & 1, at, column_end);
    at = column_end;
  }
  write_end(w, begin, end);
  memcpy(&out->run, &start, sizeof out->run);
  out->end = (const char *)w->code.at;
  out->ahead = (int64_t)w->lines * line;
  out->list_end = end;
}
