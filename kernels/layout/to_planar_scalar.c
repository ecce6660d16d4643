#include "to_planar_generic.h"

void honed_to_planar__scalar(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
