#include "code_write.h"

#include <string.h>

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

int64_t honed_code_bytes(int64_t rows, int64_t columns, int64_t weights) {
  const int64_t of_block = 3 * line + 64 + HONED_CODE_MASKS * 6, of_row = 7 + 10 + 6 + 6 + 10;
  const int64_t steps = (rows + weights) * (int64_t)sizeof(float) / (2 * reach) + 1, fetches = weights / least_apart + 1;
  return of_block + (rows + weights) * (int64_t)sizeof(float) + rows * of_row + columns * 10 + weights * 7 + steps * 7 + fetches * 8;
}

/* Appends a weight to the stream; returns where the code finds it. */
static x86_memory put_weight(honed_code_writer *w, float weight) {
  if (w->distance == reach) {
    x86_add(&w->code, X86_RSI, 2 * reach);
    w->distance = -reach;
  }
  *w->weights++ = weight;
  const x86_memory at = {X86_RSI, w->distance};
  w->distance += (int32_t)sizeof(float);
  return at;
}

/* The next block's lines, spread evenly over as many runs as this one has. */
static void fetch_ahead(honed_code_writer *w) {
  const int64_t apart = w->tiles * line_products > least_apart ? w->tiles * line_products : least_apart;
  if (w->products < (w->lines + 1) * apart) return;
  x86_prefetch(&w->code, (x86_memory){X86_RAX, (int32_t)(w->lines++ * line)});
}

static int write_begin(honed_code_writer *w, int64_t begin, int64_t end) {
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
  return sum;
}

/* Chains of each column's entries: lists are walked from behind, so that a chain has those of the first list first. */
static void chain_entries(honed_code_writer *w, int64_t begin, int64_t end, int sums) {
  int32_t count = 0;
  memset(w->first, -1, (size_t)honed_conv_ids(w->conv) * sizeof *w->first);
  for (int64_t i = end - 1; i >= begin; i--) {
    const honed_conv_list *l = &w->lists->lists[i];
    sums -= l->size;
    const float *weights = (const float *)w->lists->weights + l->weights + (int64_t)l->steps[HONED_SECTION_ALL] * l->size;
    for (int64_t entry = honed_conv_list_end(l) - 1; entry >= l->begin; entry--) {
      int32_t *first = &w->first[honed_conv_lists_id(w->lists, entry)];
      weights -= l->size;
      w->entries[count] = (honed_code_entry){weights, *first, (int16_t)sums, (int16_t)l->size};
      *first = count++;
    }
  }
}

static void write_column(honed_code_writer *w, int64_t id, int column) {
  fetch_ahead(w);
  const int k = w->masked ? first_tap + (int)(id % w->conv->kernel_w) : 0;
  x86_load(&w->code, column, (x86_memory){X86_RDI, w->of_tap[id] * (int32_t)sizeof(float)}, k);
  for (int32_t i = w->first[id]; i >= 0; i = w->entries[i].next) {
    const honed_code_entry *e = &w->entries[i];
    for (int r = 0; r < e->size; r++, w->products++) x86_fma_one(&w->code, e->sum + r, column, put_weight(w, e->weights[r]));
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
  w->products = w->lines = 0;
  const int sums = write_begin(w, begin, end);
  chain_entries(w, begin, end, sums);
  int turn = 0;
  for (int64_t id = 0; id < honed_conv_ids(w->conv); id++) {
    if (w->first[id] >= 0) write_column(w, id, column_0 + (turn++ & 1));
  }
  write_end(w, begin, end);
  memcpy(&out->run, &start, sizeof out->run);
  out->end = (const char *)w->code.at;
  out->ahead = (int64_t)w->lines * line;
  out->list_end = end;
}
