#include "job.h"

static const uint64_t one_working = 1, one_joined = (uint64_t)1 << 16, one_room = (uint64_t)1 << 32;
static const uint64_t taken = (uint64_t)1 << 48, open = (uint64_t)1 << 49;

enum {
  count_mask = 0xffff,
  rest_share = 8,       /* one in so many tasks is not dealt out */
  pieces_per_thread = 2 /* of the rest */
};

static int64_t working(uint64_t state) { return (int64_t)(state & count_mask); }
static int64_t joined(uint64_t state) { return (int64_t)(state >> 16 & count_mask); }
static int64_t room(uint64_t state) { return (int64_t)(state >> 32 & count_mask); }
static bool is_joinable(uint64_t state) { return (state & open) != 0 && joined(state) < room(state); }

bool honed_job_take(honed_job *job, const honed_call *call, char *scratch, size_t scratch_stride, size_t num_threads) {
  uint64_t state = 0;
  if (atomic_load_explicit(&job->state, memory_order_relaxed) != 0) return false;
  if (!atomic_compare_exchange_strong_explicit(&job->state, &state, taken, memory_order_acquire, memory_order_relaxed)) return false;
  const int64_t tasks = call->num_tasks, threads = (int64_t)num_threads;
  job->call = call;
  job->scratch = scratch;
  job->scratch_stride = scratch_stride;
  job->num_threads = threads;
  job->dealt = call->prepares ? tasks : tasks - tasks / rest_share;
  job->piece = (tasks - job->dealt) / (threads * pieces_per_thread) + 1;
  atomic_store_explicit(&job->claimed, job->dealt, memory_order_relaxed);
  return true;
}

void honed_job_open(honed_job *job) {
  atomic_store_explicit(&job->state, taken | open | (uint64_t)(job->num_threads - 1) * one_room, memory_order_release);
}

int honed_job_joined(const honed_job *job) {
  const uint64_t state = atomic_load_explicit(&job->state, memory_order_relaxed);
  return is_joinable(state) ? (int)joined(state) : -1;
}

static void run(const honed_job *job, int64_t thread, int64_t begin, int64_t end) {
  if (begin < end) job->call->kernel(job->call, job->scratch + (size_t)thread * job->scratch_stride, begin, end);
}

static int64_t part(const honed_job *job, int64_t thread) { return job->dealt * thread / job->num_threads; }

static void run_rest(honed_job *job, int64_t thread) {
  const int64_t tasks = job->call->num_tasks;
  for (;;) {
    const int64_t begin = atomic_fetch_add_explicit(&job->claimed, job->piece, memory_order_relaxed);
    if (begin >= tasks) return;
    run(job, thread, begin, tasks - begin < job->piece ? tasks : begin + job->piece);
  }
}

bool honed_job_join(honed_job *job, bool *last) {
  uint64_t state = atomic_load_explicit(&job->state, memory_order_relaxed);
  do {
    if (!is_joinable(state)) return false;
  } while (!atomic_compare_exchange_weak_explicit(&job->state, &state, state + one_joined + one_working, memory_order_acquire,
                                                  memory_order_relaxed));
  const int64_t thread = joined(state) + 1;
  run(job, thread, part(job, thread), part(job, thread + 1));
  run_rest(job, thread);
  *last = working(atomic_fetch_sub(&job->state, one_working)) == 1;
  return true;
}

void honed_job_work(honed_job *job) {
  run(job, 0, 0, part(job, 1));
  run_rest(job, 0);
  const uint64_t state = atomic_fetch_and_explicit(&job->state, ~open, memory_order_relaxed);
  run(job, 0, part(job, joined(state) + 1), job->dealt);
}

bool honed_job_busy(const honed_job *job) { return working(atomic_load(&job->state)) > 0; }

void honed_job_release(honed_job *job) { atomic_store_explicit(&job->state, 0, memory_order_release); }
