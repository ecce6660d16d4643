#include "base/simd_scalar.h"

#define HONED_VARIANT scalar
#define TILE_ROWS 4
#define FEW_TILES 0
#include "generic.h"
