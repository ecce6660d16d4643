#include "base/simd_avx2.h"
#include "loop.h"

#define HONED_VARIANT avx2
#include "generic.h"
