#include "base/simd_scalar.h"
#include "loop.h"

#define HONED_VARIANT scalar
#include "generic.h"
