/* CRC-32C (Castagnoli), the checksum of iSCSI (RFC 3720): reflected polynomial 0x82F63B78, initial value and final xor all ones. */
#ifndef HONED_BASE_CRC32C_H
#define HONED_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t honed_crc32c(const void *data, size_t bytes);

/* The checksum of what has the checksum `before` (0 for nothing), followed by `data`. */
uint32_t honed_crc32c_extend(uint32_t before, const void *data, size_t bytes);

/* The checksum of two pieces of data, one behind the other, from theirs. */
uint32_t honed_crc32c_join(uint32_t first, uint32_t second, uint64_t second_bytes);

/* The variants, on the raw state (before the final xor). */
uint32_t honed_crc32c_update__portable(uint32_t state, const unsigned char *data, size_t bytes);
uint32_t honed_crc32c_update__sse42(uint32_t state, const unsigned char *data, size_t bytes);

#endif
