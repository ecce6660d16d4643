#define _GNU_SOURCE /* sched_getaffinity, CPU_ALLOC */
#include "cpu_count.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { path_bytes = 4096, max_cpus = 1 << 16 };

static size_t affinity_count(void) {
  /* The kernel refuses a mask that is smaller than its own, whose size nothing tells. */
  for (int cpus = 1024; cpus <= max_cpus; cpus *= 4) {
    cpu_set_t *set = CPU_ALLOC((size_t)cpus);
    if (set == NULL) break;
    const size_t bytes = CPU_ALLOC_SIZE((size_t)cpus);
    const int error = sched_getaffinity(0, bytes, set) == 0 ? 0 : errno;
    const int count = error == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return (size_t)count;
    if (error != EINVAL) break;
  }
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (size_t)online : 1;
}

/* Reads up to two numbers from a small file. Returns how many there were: "max 100000" has none. */
static int read_numbers(const char *path, long long *a, long long *b) {
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  const int count = fscanf(file, "%lld %lld", a, b);
  fclose(file);
  return count < 0 ? 0 : count;
}

/* The quota of one control group in CPUs, rounded up; 0: none. */
static size_t group_quota(const char *folder, bool version2) {
  char path[path_bytes + 32];
  long long quota = 0, period = 0, unused = 0;
  bool found = false;
  if (version2) {
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    found = read_numbers(path, &quota, &period) == 2;
  } else {
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    found = read_numbers(path, &quota, &unused) == 1;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    found = found && read_numbers(path, &period, &unused) == 1;
  }
  if (!found || quota <= 0 || period <= 0) return 0;
  return (size_t)((quota - 1) / period + 1);
}

static size_t smaller_quota(size_t a, size_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

/* The smallest quota of the group `name` and of the groups around it. Within a container the outer ones are not visible; a folder
 * that does not exist has no quota. */
static size_t nested_quota(const char *mount, const char *name, bool version2) {
  char folder[path_bytes];
  const int length = snprintf(folder, sizeof folder, "%s%s", mount, strcmp(name, "/") == 0 ? "" : name);
  if (length < 0 || (size_t)length >= sizeof folder) return 0;
  const size_t mount_length = strlen(mount);
  size_t quota = 0;
  for (size_t end = (size_t)length; end >= mount_length; end--) {
    if (end != (size_t)length && end != mount_length && folder[end] != '/') continue;
    folder[end] = '\0';
    quota = smaller_quota(quota, group_quota(folder, version2));
    if (end == 0) break;
  }
  return quota;
}

static bool lists_cpu(const char *controllers) {
  const size_t length = strcspn(controllers, ",");
  if (length == 3 && strncmp(controllers, "cpu", 3) == 0) return true;
  return controllers[length] == ',' && lists_cpu(controllers + length + 1);
}

/* A line is "id:controllers:name"; version 2 has no controllers. */
static size_t line_quota(char *line, const char *root) {
  char mount[path_bytes];
  line[strcspn(line, "\n")] = '\0';
  char *controllers = strchr(line, ':');
  char *name = controllers == NULL ? NULL : strchr(controllers + 1, ':');
  if (name == NULL) return 0;
  *name++ = '\0';
  controllers++;
  if (*controllers == '\0') return nested_quota(root, name, true);
  if (!lists_cpu(controllers)) return 0;
  const int length = snprintf(mount, sizeof mount, "%s/cpu", root);
  return length > 0 && (size_t)length < sizeof mount ? nested_quota(mount, name, false) : 0;
}

size_t honed_cgroup_cpu_count(const char *membership, const char *root) {
  FILE *file = fopen(membership, "r");
  if (file == NULL) return 0;
  size_t quota = 0;
  char line[path_bytes];
  while (fgets(line, sizeof line, file) != NULL) quota = smaller_quota(quota, line_quota(line, root));
  fclose(file);
  return quota;
}

size_t honed_cpu_count(void) {
  const size_t affinity = affinity_count();
  const size_t quota = honed_cgroup_cpu_count("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota > 0 && quota < affinity ? quota : affinity;
}
