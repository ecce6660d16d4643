#include "code_write.h"

#include <string.h>

#include "base/integers.h"
#include "base/unroll.h"

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
  products_at_once = 1024,
};

void honed_code_writer_begin(honed_code_writer *w) {
  for (int turn = 0; turn < 2; turn++) {
    w->load[turn][0] = x86_load_head(column_0 + turn, X86_RDI, 0);
    for (int kx = 0; kx + 1 < HONED_CODE_MASKS; kx++) w->load[turn][1 + kx] = x86_load_head(column_0 + turn, X86_RDI, first_tap + kx);
    for (int sum = 0; sum < HONED_CODE_ROWS; sum++) w->fma[turn][sum] = x86_fma_one_head(sum, column_0 + turn, X86_RSI);
  }
}

int64_t honed_code_bytes(int64_t rows, int64_t columns, int64_t weights) {
  const int64_t of_block = 3 * line + 64 + HONED_CODE_MASKS * 6;
  const int64_t of_row = 7 + 10 + 6 + 6 + 10, least_step = 2 * reach - HONED_CODE_ROWS * (int64_t)sizeof(float);
  const int64_t steps = (rows + weights) * (int64_t)sizeof(float) / least_step + 1, fetches = weights / least_apart + 1;
  return of_block + (rows + weights) * (int64_t)sizeof(float) + rows * of_row + columns * 10 + weights * 7 + steps * 7 + fetches * 8;
}

/* Moves the register on where the next `count` weights are not within its reach. */
static void stay_near(honed_code_writer *w, int count) {
  if (w->distance + count * (int)sizeof(float) <= reach) return;
  x86_add(&w->code, X86_RSI, w->distance + reach);
  w->distance = -reach;
}

/* Appends a weight to the stream; returns where the code finds it. */
static x86_memory put_weight(honed_code_writer *w, float weight) {
  stay_near(w, 1);
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

/* Weights are read in turn with those of other lists, which the CPU does not foresee. */
static void fetch(const float *weights, int64_t count) {
  for (int64_t i = 0; i < count; i += line / (int)sizeof(float)) __builtin_prefetch(weights + i);
}

static void count_entries(const honed_conv_lists *lists, const honed_conv_list *l, honed_code_column *columns) {
  const int64_t end = honed_conv_list_end(l);
  for (int64_t entry = l->begin; entry < end; entry++) columns[honed_conv_lists_id(lists, entry)].count += l->size;
}

/* Counts the block's weights by their columns. */
static void count_products(honed_code_writer *w, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    w->next[i - begin] = l->begin;
    fetch((const float *)w->lists->weights + l->weights, (int64_t)l->size * l->steps[HONED_SECTION_ALL]);
    count_entries(w->lists, l, w->columns);
  }
}

/* A column's read into the register column_0 + turn, and room for its products. */
static void write_load(honed_code_writer *w, int64_t id, int turn) {
  honed_code_column *c = &w->columns[id];
  fetch_ahead(w);
  stay_near(w, c->count);
  if (w->code.full || w->code.end - w->code.at < X86_LONGEST + c->count * X86_FMA_ONE) {
    w->code.full = true;
    return;
  }
  const int k = w->masked ? 1 + (int)(id % w->conv->kernel_w) : 0;
  c->at = x86_put_load(w->code.at, w->load[turn][k], w->of_tap[id] * (int32_t)sizeof(float));
  c->weights = w->weights;
  c->fma = w->fma[turn];
  c->units = w->distance / (int)sizeof(float);
  w->code.at = c->at + c->count * X86_FMA_ONE;
  w->weights += c->count;
  w->distance += c->count * (int)sizeof(float);
  w->written += c->count;
  c->count = 0;
}

/* Fills in the products of the list's entries from `entry` on whose columns are less than `limit`; returns where that ends. size: the
 * list's, a constant. Copies, since a store of bytes might change anything. */
ALWAYS int64_t write_entries(const honed_code_writer *w, const honed_conv_list *l, int size, int sum, int64_t entry, int64_t limit) {
  const honed_conv_lists lists = *w->lists;
  honed_code_column *columns = w->columns;
  const float *weights = (const float *)lists.weights + l->weights + (entry - l->begin) * size;
  const int64_t end = honed_conv_list_end(l);
  for (; entry < end; entry++, weights += size) {
    const int64_t id = honed_conv_lists_id(&lists, entry);
    if (id >= limit) break;
    honed_code_column *c = &columns[id];
    const uint64_t *fma = c->fma + sum;
    float *to = c->weights;
    const int32_t units = c->units;
    uint8_t *at = c->at;
    HONED_UNROLL4(
        r, if (r < size) {
          to[r] = weights[r];
          at = x86_put_fma_one(at, fma[r], (int8_t)(units + r));
        })
    c->at = at;
    c->weights = to + size;
    c->units = units + size;
  }
  return entry;
}

/* Those of lists [begin, end); a column's products come in the order of the lists. */
static void write_products(honed_code_writer *w, int64_t begin, int64_t end, int64_t limit) {
  int sum = 0;
  for (int64_t i = begin; i < end; i++) {
    const honed_conv_list *l = &w->lists->lists[i];
    int64_t *next = &w->next[i - begin];
    switch (l->size) {
      case 1: *next = write_entries(w, l, 1, sum, *next, limit); break;
      case 2: *next = write_entries(w, l, 2, sum, *next, limit); break;
      default: *next = write_entries(w, l, 4, sum, *next, limit); break;
    }
    sum += l->size;
  }
}

/* All products, by columns; so many at a time as stay in the first-level cache from their room on until they are filled in. */
static void write_columns(honed_code_writer *w, int64_t begin, int64_t end) {
  const int64_t columns = honed_conv_ids(w->conv);
  int turn = 0;
  for (int64_t id = 0; id < columns && !w->code.full;) {
    const int64_t most = w->written + products_at_once;
    for (; id < columns && w->written < most; id++) {
      if (w->columns[id].count > 0) write_load(w, id, turn++ & 1);
    }
    if (!w->code.full) write_products(w, begin, end, id);
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
  count_products(w, begin, end);
  write_columns(w, begin, end);
  write_end(w, begin, end);
  memcpy(&out->run, &start, sizeof out->run);
  out->end = (const char *)w->code.at;
  out->ahead = (int64_t)w->lines * line;
  out->list_end = end;
}
