/* Prints the CPUs that the quota of a control group allows. Usage: cpu_count MEMBERSHIP ROOT */
#include "cpu_count.h"

#include "check.h"

int main(int argc, char **argv) {
  CHECK(argc == 3 && honed_cpu_count() >= 1);
  printf("%zu\n", honed_cgroup_cpu_count(argv[1], argv[2]));
  return 0;
}
