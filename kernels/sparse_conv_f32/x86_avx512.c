#include "base/x86_floats_avx512.h"

enum { VECTORS_1 = 8, VECTORS_2 = 8, VECTORS_4 = 4 };

#include "generic.h"

void honed_sparse_conv_f32__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  run_tasks(call, begin, end);
}
