#include "base/x86_floats_avx512.h"

#define TILE_ROWS 8
#define REST_OF_4 4
#define REST_OF_8 2
#include "generic.h"

void honed_conv_f32_8x3__avx512(const honed_call *call, void *scratch, int64_t begin, int64_t end) { run_tasks(call, scratch, begin, end); }
