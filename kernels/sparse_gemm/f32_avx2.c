#include "base/simd_avx2.h"

#define HONED_VARIANT avx2
#include "generic_f32.h"
