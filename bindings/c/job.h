/* Jobs: one parallel call each, and who works on it.
 *
 * The first tasks of a call are dealt out: thread i of T has the i-th part of them, which is contiguous, so that it reads again what it
 * wrote in the operators before, and prepares once what neighbouring tasks share. The rest is claimed in small pieces by whoever is done,
 * which evens out tasks of unequal cost and threads of unequal speed; there is none where every range of tasks has preparations. The
 * caller takes the parts of workers that do not come.
 *
 * What threads on different cores tell each other costs a transfer of a cache line each; a job is one line, and its rest another one.
 * Jobs live as long as their pool: a worker may look at one that is over. */
#ifndef HONED_JOB_H
#define HONED_JOB_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/operator.h"

typedef struct honed_job {
  /* Bits 0 to 15: workers that are at work; 16 to 31: workers that ever came; 32 to 47: workers that may come. Flags: a caller owns
   * the job; workers may join. 0: free. */
  _Alignas(64) _Atomic uint64_t state;
  const honed_call *call;
  char *scratch;
  size_t scratch_stride;
  int64_t num_threads;                  /* the caller's included */
  int64_t dealt;                        /* tasks that are dealt out; the others are the rest */
  int64_t piece;                        /* tasks that are claimed at a time */
  _Alignas(64) _Atomic int64_t claimed; /* tasks up to here are dealt out or have been claimed */
} honed_job;

/* Makes a free job the caller's own and fills it in; false where it is not free. */
bool honed_job_take(honed_job *job, const honed_call *call, char *scratch, size_t scratch_stride, size_t num_threads);

/* Lets workers join. */
void honed_job_open(honed_job *job);

/* Workers that came to a job that has room for one more; -1 where it has not. */
int honed_job_joined(const honed_job *job);

/* Joins, works and leaves; false where there was no room. True in *last where no worker is left. */
bool honed_job_join(honed_job *job, bool *last);

/* The caller's part, the rest, and what no worker came for. Workers that came may still be at work then. */
void honed_job_work(honed_job *job);

/* Whether workers are at work. Once they are not, the caller sees what they wrote. */
bool honed_job_busy(const honed_job *job);

/* Gives the job back. No worker may be at work. */
void honed_job_release(honed_job *job);

#endif
