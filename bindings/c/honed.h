#ifndef HONED_H
#define HONED_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HONED_API __attribute__((visibility("default")))

/* The version of this interface: grows by one whenever something is added; what exists is never changed. */
#define HONED_ABI_VERSION 1
HONED_API uint32_t honed_abi_version(void);

#ifdef __cplusplus
}
#endif

#endif
