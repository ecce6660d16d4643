#include "base/simd_scalar.h"

#define HONED_VARIANT scalar
#include "linear.h"
#include "filter_kernel.h"
