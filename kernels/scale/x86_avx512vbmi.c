#include "base/x86_lookup_avx512vbmi.h"

#define TABULATE_FROM 384
#define HONED_VARIANT avx512vbmi
#include "generic.h"
