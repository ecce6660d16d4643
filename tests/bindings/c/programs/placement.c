/* Where a thread may run before it is kept off a CPU, then, and afterwards. */
#define _GNU_SOURCE
#include "placement.h"

#include "check.h"

#if defined(__linux__)
static cpu_set_t allowed(void) {
  cpu_set_t set;
  CHECK(pthread_getaffinity_np(pthread_self(), sizeof set, &set) == 0);
  return set;
}

/* Keeps the calling thread off the CPU that it runs on, if it may run on another one. */
static void leave_and_come_back(void) {
  const cpu_set_t before = allowed();
  honed_placement p;
  honed_placement_note(&p);
  const int cpu = honed_current_cpu();
  CHECK(cpu >= 0 && CPU_ISSET(cpu, &before));
  honed_placement_avoid(&p, cpu);
  const cpu_set_t narrowed = allowed();
  if (CPU_COUNT(&before) > 1) {
    CHECK(CPU_COUNT(&narrowed) == CPU_COUNT(&before) - 1 && !CPU_ISSET(cpu, &narrowed) && honed_current_cpu() != cpu);
  } else {
    CHECK(CPU_EQUAL(&narrowed, &before));
  }
  honed_placement_avoid(&p, -1);
  honed_placement_avoid(&p, CPU_SETSIZE);
  honed_placement_restore(&p);
  const cpu_set_t after = allowed();
  CHECK(CPU_EQUAL(&after, &before));
}

int main(void) {
  leave_and_come_back();
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(honed_current_cpu(), &one);
  CHECK(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
  leave_and_come_back();
  return 0;
}
#else
int main(void) { return 0; }
#endif
