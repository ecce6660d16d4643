/* Checksums of large data, by several threads. */
#ifndef HONED_CHECKSUM_H
#define HONED_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "thread_pool.h"

/* CRC-32C. */
uint32_t honed_checksum(honed_thread_pool *pool, const void *data, size_t bytes);

#endif
