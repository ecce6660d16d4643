#include "checksum.h"

#include "base/crc32c.h"

enum { piece_bytes = 1 << 20, most_pieces = 64 };

typedef struct pieces {
  const unsigned char *data;
  size_t bytes;
  int64_t count;
  uint32_t checksums[most_pieces];
} pieces;

static size_t piece_begin(const pieces *p, int64_t index) { return (size_t)(p->bytes / (size_t)p->count) * (size_t)index; }

static size_t piece_end(const pieces *p, int64_t index) { return index + 1 == p->count ? p->bytes : piece_begin(p, index + 1); }

/* A kernel: one piece per task. */
static void sum_pieces(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  pieces *p = call->plan;
  (void)scratch;
  for (int64_t i = begin; i < end; i++) {
    p->checksums[i] = honed_crc32c(p->data + piece_begin(p, i), piece_end(p, i) - piece_begin(p, i));
  }
}

uint32_t honed_checksum(honed_thread_pool *pool, const void *data, size_t bytes) {
  const size_t threads = honed_thread_pool_size(pool), wanted = bytes / piece_bytes;
  if (threads == 1 || wanted < 2) return honed_crc32c(data, bytes);
  pieces p = {.data = data, .bytes = bytes, .count = (int64_t)(wanted < most_pieces ? wanted : most_pieces)};
  const honed_call call = {.kernel = sum_pieces, .plan = &p, .num_tasks = p.count};
  honed_thread_pool_run_one(pool, &call, NULL, 0, threads);
  uint32_t whole = p.checksums[0];
  for (int64_t i = 1; i < p.count; i++) whole = honed_crc32c_join(whole, p.checksums[i], piece_end(&p, i) - piece_begin(&p, i));
  return whole;
}
