/* Callers that are at work divide the threads of a pool evenly; shares shrink at once and grow when the others stay away. */
#include "thread_pool.h"

#include <stdatomic.h>
#include <time.h>

#include "check.h"

enum { num_threads = 8, most_callers = 70, num_tasks = 100 };

static _Atomic int tasks;
static _Atomic long strangers; /* tasks with the scratch of a thread that has no share */

typedef struct thread_scratch {
  _Alignas(64) size_t index;
} thread_scratch;

static _Atomic size_t allowed;

static void count(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)call;
  atomic_fetch_add(&tasks, (int)(end - begin));
  if (((thread_scratch *)scratch)->index >= atomic_load(&allowed)) atomic_fetch_add(&strangers, 1);
}

/* Runs a call, which at most `share` threads may work on. */
static void run(honed_thread_pool *pool, honed_caller *caller, size_t share) {
  thread_scratch scratch[num_threads];
  for (size_t i = 0; i < num_threads; i++) scratch[i].index = i;
  const honed_call call = {.kernel = count, .num_tasks = num_tasks};
  atomic_store(&tasks, 0);
  atomic_store(&allowed, share);
  honed_thread_pool_run(pool, caller, &call, (char *)scratch, sizeof *scratch, num_threads);
  CHECK(caller->share == share && atomic_load(&tasks) == num_tasks && atomic_load(&strangers) == 0);
}

static size_t even_share(size_t callers, size_t place) {
  const size_t share = num_threads / callers + (place < num_threads % callers);
  return share > 0 ? share : 1;
}

static void shares_shrink(honed_thread_pool *pool) {
  honed_caller callers[most_callers];
  for (size_t count = 1; count <= most_callers; count++) {
    const size_t newest = count - 1, with_share = count < 64 ? count : 64;
    callers[newest] = honed_thread_pool_enter(pool);
    CHECK(callers[newest].share == (newest < 64 ? even_share(count, newest) : 1));
    for (size_t i = 0; i < count; i++) run(pool, &callers[i], i < 64 ? even_share(with_share, i) : 1);
  }
  for (size_t i = 0; i < most_callers; i++) honed_thread_pool_leave(pool, &callers[i]);
}

static void shares_grow(honed_thread_pool *pool) {
  const struct timespec pause = {.tv_nsec = 3000000};
  honed_caller first = honed_thread_pool_enter(pool), second = honed_thread_pool_enter(pool);
  run(pool, &first, num_threads / 2);
  honed_thread_pool_leave(pool, &second);
  run(pool, &first, num_threads / 2); /* the other one is expected back */
  CHECK(first.more_since > 0);
  second = honed_thread_pool_enter(pool);
  run(pool, &first, num_threads / 2);
  CHECK(first.more_since == 0);
  honed_thread_pool_leave(pool, &second);
  run(pool, &first, num_threads / 2);
  nanosleep(&pause, NULL);
  run(pool, &first, num_threads);
  honed_thread_pool_leave(pool, &first);
}

int main(void) {
  honed_thread_pool *pool = NULL;
  honed_context ctx;
  CHECK(honed_thread_pool_new(num_threads, &pool, &ctx) == HONED_OK);
  for (int round = 0; round < 2; round++) {
    shares_shrink(pool);
    shares_grow(pool);
  }
  honed_thread_pool_delete(pool);
  return 0;
}
