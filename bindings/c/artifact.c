#include "artifact.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/crc32c.h"
#include "checksum.h"

static const struct {
  const char *name;
  uint32_t record_bytes;
} section_types[HONED_NUM_SECTIONS] = {
    [HONED_SECTION_STRINGS] = {"strings", 1},
    [HONED_SECTION_DIMS] = {"dims", sizeof(honed_file_dim)},
    [HONED_SECTION_VALUES] = {"values", sizeof(honed_file_value)},
    [HONED_SECTION_INPUTS] = {"inputs", sizeof(uint32_t)},
    [HONED_SECTION_OUTPUTS] = {"outputs", sizeof(uint32_t)},
    [HONED_SECTION_OPS] = {"ops", sizeof(honed_file_op)},
    [HONED_SECTION_OPERANDS] = {"operands", sizeof(uint32_t)},
    [HONED_SECTION_ATTRS] = {"attributes", sizeof(honed_file_attr)},
    [HONED_SECTION_CONSTANTS] = {"constants", sizeof(honed_file_constant)},
    [HONED_SECTION_METADATA] = {"metadata", 1},
    [HONED_SECTION_DATA] = {"data", 1},
};

/* Records of one section: their indices, and the sums of small counts over them, stay far from overflow. */
enum { max_records = 1 << 24 };

static honed_status check_header(const honed_file_header *h, uint64_t size, honed_context *ctx) {
  if (size < sizeof h->magic || memcmp(h->magic, HONED_FILE_MAGIC, sizeof h->magic) != 0) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "not a .honed file: it does not begin with the magic bytes");
  }
  if (size < sizeof *h) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "file has %" PRIu64 " bytes, expected at least %zu", size, sizeof *h);
  }
  if (h->format_version != HONED_FORMAT_VERSION) {
    return honed_fail(ctx, HONED_UNSUPPORTED, "file has format version %" PRIu32 ", expected %d", h->format_version, HONED_FORMAT_VERSION);
  }
  honed_file_header copy = *h;
  copy.crc = 0;
  if (honed_crc32c(&copy, sizeof copy) != h->crc) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "header is damaged: wrong checksum");
  if (h->file_bytes != size) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "file has %" PRIu64 " bytes, expected %" PRIu64, size, h->file_bytes);
  }
  if (h->num_sections != HONED_NUM_SECTIONS) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "file has %" PRIu32 " sections, expected %d", h->num_sections, HONED_NUM_SECTIONS);
  }
  for (size_t i = 0; i < sizeof h->reserved; i++) {
    if (h->reserved[i] != 0) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "reserved byte %zu of the header is not 0", i);
  }
  return HONED_OK;
}

static bool is_zero(const char *bytes, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    if (bytes[i] != 0) return false;
  }
  return true;
}

/* Section i begins at the first aligned byte after the end of the one before, and lies within the file. */
static honed_status check_section(const honed_file_header *h, int i, honed_thread_pool *pool, uint64_t *end, honed_context *ctx) {
  const char *bytes = (const char *)h;
  const honed_file_section *s = &h->sections[i];
  const char *name = section_types[i].name;
  const uint64_t expected = (*end + HONED_FILE_ALIGN - 1) / HONED_FILE_ALIGN * HONED_FILE_ALIGN;
  if (s->kind != (uint32_t)i) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "section %d is of kind %" PRIu32, i, s->kind);
  if (s->offset != expected || expected > h->file_bytes || s->bytes > h->file_bytes - expected) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT,
                      "section %s has %" PRIu64 " bytes at %" PRIu64 ", expected to begin at %" PRIu64 " and to end within %" PRIu64, name,
                      s->bytes, s->offset, expected, h->file_bytes);
  }
  if (!is_zero(bytes + *end, expected - *end)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "padding before section %s is not 0", name);
  }
  const uint32_t record_bytes = section_types[i].record_bytes;
  if (s->bytes % record_bytes != 0 || (record_bytes > 1 && s->bytes / record_bytes > max_records)) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "section %s has %" PRIu64 " bytes, expected at most %d records of %" PRIu32, name,
                      s->bytes, max_records, record_bytes);
  }
  if (honed_checksum(pool, bytes + s->offset, s->bytes) != s->crc) {
    return honed_fail(ctx, HONED_INVALID_ARTIFACT, "section %s is damaged: wrong checksum", name);
  }
  *end = expected + s->bytes;
  return HONED_OK;
}

static const void *records(const honed_file_header *h, honed_section section, uint32_t *count) {
  const honed_file_section *s = &h->sections[section];
  *count = (uint32_t)(s->bytes / section_types[section].record_bytes);
  return (const char *)h + s->offset;
}

honed_status honed_artifact_open(const void *bytes, uint64_t size, honed_thread_pool *pool, honed_artifact *out, honed_context *ctx) {
  const honed_file_header *h = bytes;
  honed_status status = check_header(h, size, ctx);
  uint64_t end = sizeof *h;
  for (int i = 0; i < HONED_NUM_SECTIONS && status == HONED_OK; i++) status = check_section(h, i, pool, &end, ctx);
  if (status != HONED_OK) return status;
  if (end != size) return honed_fail(ctx, HONED_INVALID_ARTIFACT, "file has %" PRIu64 " bytes behind the last section", size - end);
  const honed_file_section *strings = &h->sections[HONED_SECTION_STRINGS], *data = &h->sections[HONED_SECTION_DATA];
  honed_artifact a = {.isa_floor = h->isa_floor, .strings_bytes = strings->bytes, .data_bytes = data->bytes};
  a.strings = (const char *)bytes + strings->offset;
  a.data = (const char *)bytes + data->offset;
  a.dims = records(h, HONED_SECTION_DIMS, &a.num_dims);
  a.values = records(h, HONED_SECTION_VALUES, &a.num_values);
  a.inputs = records(h, HONED_SECTION_INPUTS, &a.num_inputs);
  a.outputs = records(h, HONED_SECTION_OUTPUTS, &a.num_outputs);
  a.ops = records(h, HONED_SECTION_OPS, &a.num_ops);
  a.operands = records(h, HONED_SECTION_OPERANDS, &a.num_operands);
  a.attrs = records(h, HONED_SECTION_ATTRS, &a.num_attrs);
  a.constants = records(h, HONED_SECTION_CONSTANTS, &a.num_constants);
  status = honed_artifact_validate(&a, ctx);
  if (status == HONED_OK) *out = a;
  return status;
}
