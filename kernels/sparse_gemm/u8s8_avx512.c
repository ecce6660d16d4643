#include "base/simd_avx512.h"

#define HONED_VARIANT avx512
#include "generic_u8s8.h"
