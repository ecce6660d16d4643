/* How many CPUs this process may use. */
#ifndef HONED_CPU_COUNT_H
#define HONED_CPU_COUNT_H

#include <stddef.h>

/* The CPUs of the affinity mask, bounded by the CPU quota of the control groups (version 1 and 2) that the process is in. At least 1. */
size_t honed_cpu_count(void);

/* The quota alone, rounded up to whole CPUs; 0 where there is none. `membership` is a file as /proc/self/cgroup, `root` the folder
 * where the control groups are mounted, as /sys/fs/cgroup. */
size_t honed_cgroup_cpu_count(const char *membership, const char *root);

#endif
