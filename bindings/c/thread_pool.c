#include "thread_pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
  chunks_per_thread = 4,    /* evens out tasks of unequal cost and threads of unequal speed */
  watch_nanoseconds = 20000 /* how long an idle thread looks for work before it sleeps */
};

/* One parallel call, on the stack of its caller. Fields below `next` are guarded by the pool's lock. */
typedef struct job {
  const honed_call *call;
  char *scratch;
  size_t scratch_stride;
  int64_t chunk;
  _Atomic int64_t claimed; /* tasks up to here have been claimed */
  _Atomic size_t working;  /* workers that have joined and not left; changed with the lock held */
  struct job *next;
  size_t room;   /* workers that may still join */
  size_t joined; /* workers that ever joined: the next one's scratch */
} job;

struct honed_thread_pool {
  pthread_mutex_t lock;
  pthread_cond_t posted;   /* a job was posted, or the pool is closing */
  pthread_cond_t finished; /* some job has no worker left */
  _Atomic uint64_t news;   /* counts what `posted` announces; changed with the lock held */
  job *jobs;               /* open for workers to join */
  size_t asleep;           /* workers that wait for `posted` */
  bool closing;
  pid_t process; /* that has the workers */
  size_t num_workers;
  pthread_t workers[];
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

static void work(job *j, size_t thread) {
  const int64_t num_tasks = j->call->num_tasks;
  for (;;) {
    const int64_t begin = atomic_fetch_add_explicit(&j->claimed, j->chunk, memory_order_relaxed);
    if (begin >= num_tasks) return;
    const int64_t end = num_tasks - begin < j->chunk ? num_tasks : begin + j->chunk;
    j->call->kernel(j->call, j->scratch + thread * j->scratch_stride, begin, end);
  }
}

/* The open job that has the fewest workers, so that sessions share them evenly. */
static job *choose(const honed_thread_pool *pool) {
  job *best = NULL;
  for (job *j = pool->jobs; j != NULL; j = j->next) {
    if (j->room == 0 || atomic_load_explicit(&j->claimed, memory_order_relaxed) >= j->call->num_tasks) continue;
    if (best == NULL || j->joined < best->joined) best = j;
  }
  return best;
}

/* Called and returns with the lock held. */
static void join(honed_thread_pool *pool, job *j) {
  const size_t thread = ++j->joined;
  j->room--;
  atomic_fetch_add_explicit(&j->working, 1, memory_order_relaxed);
  pthread_mutex_unlock(&pool->lock);
  work(j, thread);
  pthread_mutex_lock(&pool->lock);
  /* Once `working` is 0 the job may be gone. */
  if (atomic_fetch_sub_explicit(&j->working, 1, memory_order_release) == 1) pthread_cond_broadcast(&pool->finished);
}

/* Called and returns with the lock held. */
static void wait_for_news(honed_thread_pool *pool) {
  const uint64_t seen = atomic_load_explicit(&pool->news, memory_order_relaxed);
  pthread_mutex_unlock(&pool->lock);
  for (int64_t end = now_nanoseconds() + watch_nanoseconds; now_nanoseconds() < end;) {
    for (int i = 0; i < 16 && atomic_load_explicit(&pool->news, memory_order_relaxed) == seen; i++) relax();
    if (atomic_load_explicit(&pool->news, memory_order_relaxed) != seen) break;
  }
  pthread_mutex_lock(&pool->lock);
  pool->asleep++;
  while (atomic_load_explicit(&pool->news, memory_order_relaxed) == seen) pthread_cond_wait(&pool->posted, &pool->lock);
  pool->asleep--;
}

static void *worker(void *argument) {
  honed_thread_pool *pool = argument;
  pthread_mutex_lock(&pool->lock);
  while (!pool->closing) {
    job *j = choose(pool);
    if (j != NULL) {
      join(pool, j);
    } else {
      wait_for_news(pool);
    }
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static void post(honed_thread_pool *pool, job *j) {
  pthread_mutex_lock(&pool->lock);
  j->next = pool->jobs;
  pool->jobs = j;
  atomic_fetch_add_explicit(&pool->news, 1, memory_order_relaxed);
  const size_t wake = j->room < pool->asleep ? j->room : pool->asleep;
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < wake; i++) pthread_cond_signal(&pool->posted);
}

/* Closes the job for workers and waits for those that joined. Taking the lock orders their writes before the caller's reads. */
static void finish(honed_thread_pool *pool, job *j) {
  pthread_mutex_lock(&pool->lock);
  job **link = &pool->jobs;
  while (*link != j) link = &(*link)->next;
  *link = j->next;
  if (atomic_load_explicit(&j->working, memory_order_relaxed) > 0) {
    pthread_mutex_unlock(&pool->lock);
    for (int64_t end = now_nanoseconds() + watch_nanoseconds; now_nanoseconds() < end;) {
      if (atomic_load_explicit(&j->working, memory_order_relaxed) == 0) break;
      relax();
    }
    pthread_mutex_lock(&pool->lock);
  }
  while (atomic_load_explicit(&j->working, memory_order_acquire) > 0) pthread_cond_wait(&pool->finished, &pool->lock);
  pthread_mutex_unlock(&pool->lock);
}

void honed_thread_pool_run(honed_thread_pool *pool, const honed_call *call, char *scratch, size_t scratch_stride, size_t num_threads) {
  const size_t threads = (uint64_t)call->num_tasks < num_threads ? (size_t)call->num_tasks : num_threads;
  if (threads <= 1) {
    if (call->num_tasks > 0) call->kernel(call, scratch, 0, call->num_tasks);
    return;
  }
  const int64_t chunks = (int64_t)threads * chunks_per_thread;
  job j = {
      .call = call, .scratch = scratch, .scratch_stride = scratch_stride, .chunk = (call->num_tasks - 1) / chunks + 1, .room = threads - 1};
  post(pool, &j);
  work(&j, 0);
  finish(pool, &j);
}

/* Starts the workers with all signals blocked: the process's signals are its own threads' business. */
static honed_status start(honed_thread_pool *pool, size_t num_workers, honed_context *ctx) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = 0;
  while (pool->num_workers < num_workers && !failed) {
    failed = pthread_create(&pool->workers[pool->num_workers], NULL, worker, pool);
    if (!failed) pool->num_workers++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!failed) return HONED_OK;
  return honed_fail(ctx, HONED_UNSUPPORTED, "the system refuses thread %zu of %zu", pool->num_workers + 2, num_workers + 1);
}

honed_status honed_thread_pool_new(size_t num_threads, honed_thread_pool **out, honed_context *ctx) {
  honed_thread_pool *pool = calloc(1, sizeof *pool + (num_threads - 1) * sizeof pool->workers[0]);
  if (pool == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for a pool of %zu threads", num_threads);
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
  pthread_mutex_lock(&pool->lock);
  pool->closing = true;
  atomic_fetch_add_explicit(&pool->news, 1, memory_order_relaxed);
  pthread_cond_broadcast(&pool->posted);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < pool->num_workers; i++) pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->finished);
  pthread_cond_destroy(&pool->posted);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}

size_t honed_thread_pool_size(const honed_thread_pool *pool) { return is_forked(pool) ? 1 : pool->num_workers + 1; }
