#include "honed.h"

const char *honed_version(void) { return HONED_VERSION; }

uint32_t honed_abi_version(void) { return HONED_ABI_VERSION; }
