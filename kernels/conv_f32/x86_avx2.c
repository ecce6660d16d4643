#include "base/x86_floats_avx2.h"

#define TILE_ROWS 4
#define REST_OF_4 2
#define REST_OF_8 1
#include "generic.h"

void honed_conv_f32_4x3__avx2(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
