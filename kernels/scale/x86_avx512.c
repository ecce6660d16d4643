#include "base/simd_avx512.h"

#define HONED_VARIANT avx512
#include "generic.h"
