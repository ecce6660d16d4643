#define HONED_VARIANT avx2
#include "generic_u8s8.h"
