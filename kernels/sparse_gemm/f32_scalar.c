#include "base/simd_scalar.h"

#define HONED_VARIANT scalar
#include "generic_f32.h"
