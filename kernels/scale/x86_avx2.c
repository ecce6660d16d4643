#include "base/simd_avx2.h"

#define HONED_VARIANT avx2
#include "generic.h"
