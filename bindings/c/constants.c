#include "constants.h"

#include <string.h>

static size_t count_of(const honed_file_constant *c) {
  size_t count = 1;
  for (uint32_t axis = 0; axis < c->rank; axis++) count *= (size_t)c->dims[axis];
  return count;
}

static size_t aligned(size_t bytes) { return (bytes + HONED_FILE_ALIGN - 1) / HONED_FILE_ALIGN * HONED_FILE_ALIGN; }

static int8_t sign_extended(int bits) { return (int8_t)((bits ^ 8) - 8); }

static void expand(const unsigned char *restrict packed, int8_t *restrict out, size_t count) {
  for (size_t i = 0; i < count / 2; i++) {
    out[2 * i] = sign_extended(packed[i] & 15);
    out[2 * i + 1] = sign_extended(packed[i] >> 4);
  }
  if (count % 2 != 0) out[count - 1] = sign_extended(packed[count / 2] & 15);
}

honed_status honed_constants_expand(const honed_artifact *a, honed_arena *arena, const void ***out, honed_context *ctx) {
  size_t bytes = 0;
  for (uint32_t i = 0; i < a->num_constants; i++) {
    if (a->constants[i].encoding == HONED_ENCODING_PACKED4) bytes += aligned(count_of(&a->constants[i]));
  }
  void *list = NULL, *memory = NULL;
  honed_status status = honed_arena_alloc(arena, a->num_constants * sizeof(void *), &list, ctx);
  if (status == HONED_OK && bytes > 0) status = honed_arena_alloc(arena, bytes, &memory, ctx);
  if (status != HONED_OK) return status;
  *out = list;
  int8_t *next = memory;
  for (uint32_t i = 0; i < a->num_constants; i++) {
    const honed_file_constant *c = &a->constants[i];
    (*out)[i] = a->data + c->offset;
    if (c->encoding == HONED_ENCODING_PLAIN) continue;
    const size_t count = count_of(c);
    expand((const unsigned char *)a->data + c->offset, next, count);
    (*out)[i] = next;
    next += aligned(count);
  }
  return HONED_OK;
}

honed_tensor honed_constant_tensor(const honed_artifact *a, uint32_t index, const void *elements) {
  const honed_file_constant *c = &a->constants[index];
  honed_tensor t = {.dtype = (honed_dtype)c->dtype, .layout = HONED_DENSE, .rank = (int32_t)c->rank};
  memcpy(t.dims, c->dims, sizeof t.dims);
  t.data = (void *)elements; /* read only: no operator writes a value that it reads */
  return t;
}
