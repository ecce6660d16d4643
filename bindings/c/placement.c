#define _GNU_SOURCE /* pthread_setaffinity_np, sched_getcpu, cpu_set_t */
#include "placement.h"

#if defined(__linux__)

void honed_placement_note(honed_placement *p) {
  p->thread = pthread_self();
  p->avoided = -1;
  if (pthread_getaffinity_np(p->thread, sizeof p->allowed, &p->allowed) != 0) CPU_ZERO(&p->allowed);
}

void honed_placement_avoid(honed_placement *p, int cpu) {
  if (cpu < 0 || cpu >= CPU_SETSIZE || cpu == p->avoided) return;
  cpu_set_t others = p->allowed;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) > 0 && pthread_setaffinity_np(p->thread, sizeof others, &others) == 0) p->avoided = cpu;
}

void honed_placement_restore(honed_placement *p) {
  if (p->avoided >= 0) pthread_setaffinity_np(p->thread, sizeof p->allowed, &p->allowed);
}

int honed_current_cpu(void) { return sched_getcpu(); }

#else

void honed_placement_note(honed_placement *p) { (void)p; }

void honed_placement_avoid(honed_placement *p, int cpu) { (void)p, (void)cpu; }

void honed_placement_restore(honed_placement *p) { (void)p; }

int honed_current_cpu(void) { return -1; }

#endif
