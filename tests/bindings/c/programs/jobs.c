/* Jobs: every task runs once, whoever comes and whenever; ranges stay long where they have preparations. */
#include "job.h"

#include <pthread.h>
#include <string.h>

#include "check.h"

enum { most_tasks = 200, most_threads = 6 };

static _Atomic int runs[most_tasks], ranges;

static void count(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)call;
  CHECK(begin < end);
  for (int64_t i = begin; i < end; i++) atomic_fetch_add(&runs[i], 1);
  atomic_fetch_add(&ranges, 1);
  atomic_fetch_add((_Atomic int *)scratch, 1);
}

static honed_job job;

static void *come(void *result) {
  bool last = false;
  *(bool *)result = honed_job_join(&job, &last);
  return NULL;
}

/* The ranges that `helpers` workers and the caller run of `tasks` tasks on at most `threads` threads. late: workers come after the
 * caller. */
static int run_job(int64_t tasks, size_t threads, int helpers, bool prepares, bool late) {
  static char scratch[most_threads * 64];
  pthread_t workers[most_threads];
  bool joined[most_threads];
  memset(scratch, 0, sizeof scratch);
  const honed_call call = {.kernel = count, .num_tasks = tasks, .prepares = prepares};
  for (int i = 0; i < most_tasks; i++) atomic_store(&runs[i], 0);
  atomic_store(&ranges, 0);
  CHECK(honed_job_take(&job, &call, scratch, 64, threads));
  CHECK(!honed_job_take(&job, &call, scratch, 64, threads) && honed_job_joined(&job) == -1);
  honed_job_open(&job);
  CHECK(honed_job_joined(&job) == 0);
  if (late) honed_job_work(&job);
  for (int i = 0; i < helpers; i++) CHECK(pthread_create(&workers[i], NULL, come, &joined[i]) == 0);
  if (!late) honed_job_work(&job);
  for (int i = 0; i < helpers; i++) CHECK(pthread_join(workers[i], NULL) == 0);
  CHECK(!honed_job_busy(&job));
  for (int i = 0; i < helpers; i++) CHECK(!late || !joined[i]);
  honed_job_release(&job);
  for (int i = 0; i < most_tasks; i++) CHECK(atomic_load(&runs[i]) == (i < tasks));
  return atomic_load(&ranges);
}

/* One worker more than there is room for is sent away. */
static void check_room(void) {
  const honed_call call = {.kernel = count, .num_tasks = 4};
  static char scratch[2 * 64];
  bool last = false;
  CHECK(honed_job_take(&job, &call, scratch, 64, 2));
  CHECK(!honed_job_join(&job, &last)); /* not open yet */
  honed_job_open(&job);
  CHECK(honed_job_join(&job, &last) && last);
  CHECK(honed_job_joined(&job) == -1 && !honed_job_join(&job, &last));
  honed_job_work(&job);
  honed_job_release(&job);
}

int main(void) {
  for (int64_t tasks = 2; tasks <= most_tasks; tasks += tasks / 3 + 1) {
    for (size_t threads = 2; threads <= most_threads && (int64_t)threads <= tasks; threads++) {
      for (int helpers = 0; helpers < (int)threads; helpers++) {
        run_job(tasks, threads, helpers, false, false);
        const int prepared = run_job(tasks, threads, helpers, true, false);
        CHECK(prepared >= 1 && prepared <= (int)threads);
      }
      CHECK(run_job(tasks, threads, 2, true, true) <= 2);
    }
  }
  check_room();
  return 0;
}
