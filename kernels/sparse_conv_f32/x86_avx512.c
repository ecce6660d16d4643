#include "base/x86_floats_avx512.h"

enum { UNITS_1 = 10, UNITS_2 = 10, UNITS_4 = 10 };

#include "generic.h"

void honed_sparse_conv_f32__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  run_tasks(call, scratch, begin, end);
}
