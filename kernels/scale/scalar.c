#include "base/simd_scalar.h"

#define HONED_VARIANT scalar
#include "generic.h"
