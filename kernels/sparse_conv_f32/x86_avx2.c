#include "base/x86_floats_avx2.h"

enum { UNITS_1 = 10, UNITS_2 = 5, UNITS_4 = 2 };

#include "generic.h"

void honed_sparse_conv_f32__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
