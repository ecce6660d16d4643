#include "base/simd_avx512.h"

#define HONED_VARIANT avx512
#define TILE_ROWS 8
#define FEW_TILES 8
#include "generic.h"
