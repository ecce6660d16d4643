/* Threads that all sessions of an engine share.
 *
 * A call's tasks are shared by the calling thread and the workers that happen to be free, as job.h says. The caller never waits for a
 * worker that has not started, so any number of sessions make progress with any number of workers. A worker that finds nothing to do
 * watches for new work for some microseconds, which bridges the gap between two operators, and then sleeps.
 *
 * Callers that are at work at once divide the threads evenly, themselves included: with as many threads as CPUs, no more than these ever
 * run, and no caller waits for a worker whose CPU another caller has.
 *
 * A child process made by fork() has no workers: there the pool runs everything on the calling thread, and takes no lock. */
#ifndef HONED_THREAD_POOL_H
#define HONED_THREAD_POOL_H

#include <stddef.h>

#include "base/operator.h"

typedef struct honed_thread_pool honed_thread_pool;

/* Starts num_threads - 1 workers, which receive no signals. */
honed_status honed_thread_pool_new(size_t num_threads, honed_thread_pool **out, honed_context *ctx);

/* Waits for the workers to end. No call may be running. In a child process, the pool's memory is left behind. */
void honed_thread_pool_delete(honed_thread_pool *pool);

/* num_threads; 1 in a child process. */
size_t honed_thread_pool_size(const honed_thread_pool *pool);

/* A thread that runs calls. */
typedef struct honed_caller {
  int place;          /* among those that are at work */
  size_t share;       /* of the threads */
  int64_t more_since; /* nanoseconds: when the share could have been larger for the first time; 0: it could not */
} honed_caller;

/* The calling thread will run calls, until it leaves. Thread-safe, as is everything that follows. */
honed_caller honed_thread_pool_enter(honed_thread_pool *pool);
void honed_thread_pool_leave(honed_thread_pool *pool, const honed_caller *caller);

/* Runs all tasks of `call` on num_threads threads at most, the caller's included, which is no more than honed_thread_pool_size();
 * returns when they are done. Thread i of them has the scratch memory at scratch + i * scratch_stride. Allocates nothing. */
void honed_thread_pool_run(honed_thread_pool *pool, honed_caller *caller, const honed_call *call, char *scratch, size_t scratch_stride,
                           size_t num_threads);

/* The same of a single call: enters and leaves. */
void honed_thread_pool_run_one(honed_thread_pool *pool, const honed_call *call, char *scratch, size_t scratch_stride, size_t num_threads);

#endif
