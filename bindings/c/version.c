#include "honed.h"

uint32_t honed_abi_version(void) { return HONED_ABI_VERSION; }
