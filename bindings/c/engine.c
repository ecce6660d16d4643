#include "engine.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cpu_count.h"
#include "error.h"
#include "options.h"

enum { max_threads = 1024 };

honed_error *honed_engine_new(const honed_engine_options *options, honed_engine **out) {
  honed_engine_options o = {0};
  honed_error *error = honed_options_read(options, &o, sizeof o, "honed_engine_options");
  if (error != NULL) return error;
  if (o.num_threads > max_threads) {
    return honed_error_new(HONED_INVALID_ARGUMENT, "%zu threads, expected at most %d", o.num_threads, max_threads);
  }
  size_t num_threads = o.num_threads > 0 ? o.num_threads : honed_cpu_count();
  if (num_threads > max_threads) num_threads = max_threads;
  honed_engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL) return honed_error_new(HONED_OUT_OF_MEMORY, "engine");
  honed_context ctx;
  honed_status status = honed_isa_allowed(&engine->isa, &ctx);
  if (status == HONED_OK) status = honed_thread_pool_new(num_threads, &engine->pool, &ctx);
  if (status != HONED_OK) {
    free(engine);
    return honed_error_new(status, "%s", ctx.message);
  }
  atomic_init(&engine->references, 1);
  *out = engine;
  return NULL;
}

honed_engine *honed_engine_retain(const honed_engine *engine) {
  honed_engine *shared = (honed_engine *)engine;
  atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
  return shared;
}

void honed_engine_delete(honed_engine *engine) {
  if (engine == NULL || atomic_fetch_sub_explicit(&engine->references, 1, memory_order_acq_rel) > 1) return;
  honed_thread_pool_delete(engine->pool);
  free(engine);
}

size_t honed_engine_num_threads(const honed_engine *engine) { return honed_thread_pool_size(engine->pool); }

const char *honed_engine_isa(const honed_engine *engine) { return honed_isa_name(engine->isa); }
