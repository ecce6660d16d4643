/* Threads that all sessions of an engine share.
 *
 * A call's tasks are shared by the calling thread and the workers that happen to be free, as job.h says. The caller never waits for a
 * worker that has not started, so any number of sessions make progress with any number of workers. A worker that finds nothing to do
 * watches for new work for some microseconds, which bridges the gap between two operators, and then sleeps.
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

/* Runs all tasks of `call` on num_threads threads at most, the caller's included, which is no more than honed_thread_pool_size();
 * returns when they are done. Thread i of them has the scratch memory at scratch + i * scratch_stride. Allocates nothing. Thread-safe. */
void honed_thread_pool_run(honed_thread_pool *pool, const honed_call *call, char *scratch, size_t scratch_stride, size_t num_threads);

#endif
