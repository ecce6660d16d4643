#include "base/simd_avx2.h"

#define HONED_VARIANT avx2
#define TILE_ROWS 4
#define FEW_TILES 4
#include "generic.h"
