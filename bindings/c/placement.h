/* On which CPU a sleeping thread wakes.
 *
 * A scheduler may put a thread that wakes on the CPU of the thread that woke it, although another CPU is idle: Linux does so in virtual
 * machines, where it takes a CPU that the host has halted for a busy one. Both then share one CPU until the scheduler balances its load,
 * which takes longer than a run. So a thread that is woken is kept off the CPU of the one that wakes it; once awake, it may run where it
 * could before. Where a system offers no such thing, these functions do nothing. */
#ifndef HONED_PLACEMENT_H
#define HONED_PLACEMENT_H

#include <pthread.h>

#if defined(__linux__)
#include <sched.h>
#endif

typedef struct honed_placement {
#if defined(__linux__)
  cpu_set_t allowed; /* where the thread may run */
#endif
  pthread_t thread;
  int avoided; /* a CPU; -1 while the thread may run wherever it is allowed to */
} honed_placement;

/* By the thread that will sleep. */
void honed_placement_note(honed_placement *p);

/* By the thread that will wake it, while it sleeps; costs nothing where it is kept off that CPU already. `cpu`: of honed_current_cpu. */
void honed_placement_avoid(honed_placement *p, int cpu);

/* By the thread that slept, once it is awake and nobody calls honed_placement_avoid. */
void honed_placement_restore(honed_placement *p);

/* -1 where it is not known. */
int honed_current_cpu(void);

#endif
