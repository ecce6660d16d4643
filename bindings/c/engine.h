/* The engine: instruction sets and threads, shared by all models and sessions made from it. */
#ifndef HONED_ENGINE_H
#define HONED_ENGINE_H

#include "base/cpu.h"
#include "honed.h"
#include "thread_pool.h"

struct honed_engine {
  _Atomic size_t references; /* the caller's, and one per model */
  honed_isa isa;
  honed_thread_pool *pool;
};

/* One more reference, which honed_engine_delete gives back. */
honed_engine *honed_engine_retain(const honed_engine *engine);

#endif
