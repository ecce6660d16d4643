#define HONED_VARIANT avx512
#include "generic_u8s8.h"
