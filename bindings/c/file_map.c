#include "file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

static honed_error *system_error(const char *path, int code) {
  char text[128] = "";
  if (strerror_r(code, text, sizeof text) != 0) text[0] = '\0';
  return honed_error_new(code == ENOMEM ? HONED_OUT_OF_MEMORY : HONED_IO, "%s: %s", path, text[0] != '\0' ? text : "input/output error");
}

static honed_error *map_descriptor(int descriptor, const char *path, honed_file_map *out) {
  struct stat info;
  if (fstat(descriptor, &info) != 0) return system_error(path, errno);
  if (!S_ISREG(info.st_mode)) return honed_error_new(HONED_IO, "%s: not a regular file", path);
  if (info.st_size <= 0) return honed_error_new(HONED_INVALID_ARTIFACT, "%s: file is empty", path);
  void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (bytes == MAP_FAILED) return system_error(path, errno);
  *out = (honed_file_map){bytes, (size_t)info.st_size};
  return NULL;
}

honed_error *honed_file_map_open(const char *path, honed_file_map *out) {
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(path, errno);
  honed_error *error = map_descriptor(descriptor, path, out);
  close(descriptor);
  return error;
}

void honed_file_map_close(honed_file_map *map) {
  if (map->bytes != NULL) munmap(map->bytes, map->size);
  *map = (honed_file_map){0};
}
