#include "base/simd_scalar.h"

#define HONED_VARIANT scalar
#define TILE_ROWS 4
#include "generic.h"
