/* Files in memory, read-only and shared with other processes that map them. */
#ifndef HONED_FILE_MAP_H
#define HONED_FILE_MAP_H

#include <stddef.h>

#include "honed.h"

typedef struct honed_file_map {
  void *bytes; /* aligned to a page */
  size_t size;
} honed_file_map;

/* Fails where the file can't be opened or mapped, and where it is empty. */
honed_error *honed_file_map_open(const char *path, honed_file_map *out);

void honed_file_map_close(honed_file_map *map);

#endif
