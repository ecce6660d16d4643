#define _GNU_SOURCE /* cpu_set_t */
#include "thread_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "job.h"
#include "placement.h"

enum {
  num_jobs = 16,               /* calls that share the workers at a time; others run on their callers alone */
  num_callers = 64,            /* that have a share of the threads; others work alone */
  watch_nanoseconds = 200000,  /* how long a thread that has nothing to do looks for news before it sleeps */
  return_nanoseconds = 1000000 /* how long a caller that has left is expected back */
};

typedef struct honed_worker {
  honed_thread_pool *pool;
  pthread_t thread;
  bool asleep; /* guarded by the pool's lock, as is its placement while it is true */
  honed_placement placement;
} honed_worker;

struct honed_thread_pool {
  honed_job jobs[num_jobs];
  _Alignas(64) _Atomic uint64_t news;    /* counts the jobs that were opened, and the pool's closing */
  _Alignas(64) _Atomic uint64_t callers; /* that are at work: a bit each */
  _Alignas(64) _Atomic size_t asleep;    /* workers that wait for `posted` */
  _Atomic size_t waiting;                /* callers that wait for `finished` */
  _Atomic bool closing;
  pthread_mutex_t lock;
  pthread_cond_t posted, finished;
  pid_t process; /* that has the workers */
  size_t num_workers;
  honed_worker workers[];
};

static bool is_forked(const honed_thread_pool *pool) { return pool->process != getpid(); }

static int64_t now_nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Works on the open job that has the fewest workers, so that sessions share them evenly; false where there is none. */
static bool help(honed_thread_pool *pool) {
  for (;;) {
    honed_job *best = NULL;
    int fewest = 0;
    for (honed_job *job = pool->jobs; job < pool->jobs + num_jobs; job++) {
      const int joined = honed_job_joined(job);
      if (joined < 0 || (best != NULL && joined >= fewest)) continue;
      best = job;
      fewest = joined;
    }
    bool last = false;
    if (best == NULL) return false;
    if (!honed_job_join(best, &last)) continue;
    /* Either this sees the caller that waits, or the caller sees that nobody is at work. */
    if (last && atomic_load(&pool->waiting) > 0) {
      pthread_mutex_lock(&pool->lock);
      pthread_cond_broadcast(&pool->finished);
      pthread_mutex_unlock(&pool->lock);
    }
    return true;
  }
}

static void wait_for_news(honed_worker *self, uint64_t seen) {
  honed_thread_pool *pool = self->pool;
  for (int64_t end = now_nanoseconds() + watch_nanoseconds; now_nanoseconds() < end;) {
    for (int i = 0; i < 16; i++) {
      if (atomic_load_explicit(&pool->news, memory_order_relaxed) != seen) return;
      relax();
    }
  }
  pthread_mutex_lock(&pool->lock);
  honed_placement_note(&self->placement);
  self->asleep = true;
  atomic_fetch_add(&pool->asleep, 1);
  while (atomic_load(&pool->news) == seen) pthread_cond_wait(&pool->posted, &pool->lock);
  atomic_fetch_sub(&pool->asleep, 1);
  self->asleep = false;
  pthread_mutex_unlock(&pool->lock);
  honed_placement_restore(&self->placement);
}

static void *worker(void *argument) {
  honed_worker *self = argument;
  honed_thread_pool *pool = self->pool;
  while (!atomic_load_explicit(&pool->closing, memory_order_relaxed)) {
    const uint64_t seen = atomic_load_explicit(&pool->news, memory_order_acquire);
    if (!help(pool) && !atomic_load_explicit(&pool->closing, memory_order_relaxed)) wait_for_news(self, seen);
  }
  return NULL;
}

/* Either this sees the workers that sleep, or they see the news. */
static void announce(honed_thread_pool *pool, size_t workers) {
  atomic_fetch_add(&pool->news, 1);
  const size_t asleep = atomic_load(&pool->asleep);
  if (asleep == 0) return;
  const int cpu = honed_current_cpu();
  pthread_mutex_lock(&pool->lock);
  for (honed_worker *w = pool->workers; w < pool->workers + pool->num_workers; w++) {
    if (w->asleep) honed_placement_avoid(&w->placement, cpu);
  }
  for (size_t i = 0; i < workers && i < asleep; i++) pthread_cond_signal(&pool->posted);
  pthread_mutex_unlock(&pool->lock);
}

static void wait_for_workers(honed_thread_pool *pool, const honed_job *job) {
  if (!honed_job_busy(job)) return;
  for (int64_t end = now_nanoseconds() + watch_nanoseconds; now_nanoseconds() < end;) {
    for (int i = 0; i < 16; i++) {
      if (!honed_job_busy(job)) return;
      relax();
    }
  }
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->waiting, 1);
  while (honed_job_busy(job)) pthread_cond_wait(&pool->finished, &pool->lock);
  atomic_fetch_sub(&pool->waiting, 1);
  pthread_mutex_unlock(&pool->lock);
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Of the threads divided by the callers; the first of these have what is left over. */
static size_t even_share(const honed_thread_pool *pool, int place) {
  if (place == num_callers) return 1;
  const uint64_t callers = atomic_load_explicit(&pool->callers, memory_order_relaxed), before = callers & (((uint64_t)1 << place) - 1);
  const size_t threads = pool->num_workers + 1, count = (size_t)__builtin_popcountll(callers);
  const size_t share = threads / count + ((size_t)__builtin_popcountll(before) < threads % count);
  return share > 0 ? share : 1;
}

honed_caller honed_thread_pool_enter(honed_thread_pool *pool) {
  int place = num_callers;
  uint64_t callers = atomic_load_explicit(&pool->callers, memory_order_relaxed);
  while (callers != UINT64_MAX) {
    place = __builtin_ctzll(~callers);
    const uint64_t more = callers | (uint64_t)1 << place;
    if (atomic_compare_exchange_weak_explicit(&pool->callers, &callers, more, memory_order_relaxed, memory_order_relaxed)) break;
    place = num_callers;
  }
  return (honed_caller){.place = place, .share = even_share(pool, place)};
}

void honed_thread_pool_leave(honed_thread_pool *pool, const honed_caller *caller) {
  if (caller->place < num_callers) {
    atomic_fetch_and_explicit(&pool->callers, ~((uint64_t)1 << caller->place), memory_order_relaxed);
  }
}

/* A share shrinks at once, and grows when others have been gone for a while: they are back soon where they run again and again. */
static size_t share_now(const honed_thread_pool *pool, honed_caller *caller) {
  const size_t share = even_share(pool, caller->place);
  if (share > caller->share) {
    const int64_t now = now_nanoseconds();
    if (caller->more_since == 0) caller->more_since = now;
    if (now - caller->more_since < return_nanoseconds) return caller->share;
  }
  caller->share = share;
  caller->more_since = 0;
  return share;
}

void honed_thread_pool_run(honed_thread_pool *pool, honed_caller *caller, const honed_call *call, char *scratch, size_t scratch_stride,
                           size_t num_threads) {
  const size_t most = smaller((size_t)call->num_tasks, num_threads), threads = most > 1 ? smaller(most, share_now(pool, caller)) : most;
  honed_job *job = pool->jobs, *const end = pool->jobs + num_jobs;
  while (threads > 1 && job < end && !honed_job_take(job, call, scratch, scratch_stride, threads)) job++;
  if (threads <= 1 || job == end) {
    if (call->num_tasks > 0) call->kernel(call, scratch, 0, call->num_tasks);
    return;
  }
  honed_job_open(job);
  announce(pool, threads - 1);
  honed_job_work(job);
  wait_for_workers(pool, job);
  honed_job_release(job);
}

void honed_thread_pool_run_one(honed_thread_pool *pool, const honed_call *call, char *scratch, size_t scratch_stride, size_t num_threads) {
  honed_caller caller = honed_thread_pool_enter(pool);
  honed_thread_pool_run(pool, &caller, call, scratch, scratch_stride, num_threads);
  honed_thread_pool_leave(pool, &caller);
}

/* Starts the workers with all signals blocked: the process's signals are its own threads' business. */
static honed_status start(honed_thread_pool *pool, size_t num_workers, honed_context *ctx) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  while (pool->num_workers < num_workers && !failed) {
    honed_worker *next = &pool->workers[pool->num_workers];
    next->pool = pool;
    failed = pthread_create(&next->thread, NULL, worker, next);
    if (!failed) pool->num_workers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!failed) return HONED_OK;
  return honed_fail(ctx, HONED_UNSUPPORTED, "the system refuses thread %zu of %zu", pool->num_workers + 2, num_workers + 1);
}

honed_status honed_thread_pool_new(size_t num_threads, honed_thread_pool **out, honed_context *ctx) {
  const size_t bytes = sizeof(honed_thread_pool) + (num_threads - 1) * sizeof(honed_worker);
  honed_thread_pool *pool = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (pool == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for a pool of %zu threads", num_threads);
  memset(pool, 0, bytes);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->posted, NULL);
  pthread_cond_init(&pool->finished, NULL);
  pool->process = getpid();
  const honed_status status = start(pool, num_threads - 1, ctx);
  if (status != HONED_OK) {
    honed_thread_pool_delete(pool);
    return status;
  }
  *out = pool;
  return HONED_OK;
}

void honed_thread_pool_delete(honed_thread_pool *pool) {
  if (is_forked(pool)) return;
  atomic_store_explicit(&pool->closing, true, memory_order_relaxed);
  announce(pool, pool->num_workers);
  for (size_t i = 0; i < pool->num_workers; i++) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->finished);
  pthread_cond_destroy(&pool->posted);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

size_t honed_thread_pool_size(const honed_thread_pool *pool) { return is_forked(pool) ? 1 : pool->num_workers + 1; }
