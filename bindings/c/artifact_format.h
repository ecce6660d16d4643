/* The bytes of a .honed file: docs/artifact.md, as structs. Everything is little-endian and naturally aligned. */
#ifndef HONED_ARTIFACT_FORMAT_H
#define HONED_ARTIFACT_FORMAT_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the records of a .honed file are used in place, which needs a little-endian machine"
#endif

#define HONED_FILE_MAGIC "HONED\r\n\x1a"

enum {
  HONED_FORMAT_VERSION = 2,
  HONED_FILE_ALIGN = 64, /* of sections, and of the data of constants */
};

#define HONED_FILE_NONE UINT32_C(0xFFFFFFFF) /* an operand that is left out; a value that is no constant */

/* Sections, in the order in which they lie in the file; each occurs once, and may be empty where that makes sense. */
typedef enum honed_section {
  HONED_SECTION_STRINGS = 0,
  HONED_SECTION_DIMS,
  HONED_SECTION_VALUES,
  HONED_SECTION_INPUTS,
  HONED_SECTION_OUTPUTS,
  HONED_SECTION_OPS,
  HONED_SECTION_OPERANDS,
  HONED_SECTION_ATTRS,
  HONED_SECTION_CONSTANTS,
  HONED_SECTION_METADATA,
  HONED_SECTION_DATA,
  HONED_NUM_SECTIONS,
} honed_section;

typedef struct honed_file_section {
  uint64_t offset;
  uint64_t bytes;
  uint32_t kind; /* honed_section */
  uint32_t crc;
} honed_file_section;

typedef struct honed_file_header {
  char magic[8];
  uint32_t format_version;
  uint32_t isa_floor; /* honed_isa bits */
  uint64_t file_bytes;
  uint32_t num_sections;
  uint32_t crc; /* of the header with this field 0, and of the sections' records */
  uint8_t reserved[32];
  honed_file_section sections[HONED_NUM_SECTIONS];
} honed_file_header;

typedef struct honed_file_dim {
  int64_t size;    /* -1: known at run time */
  uint32_t symbol; /* string; 0: no name */
  uint32_t reserved;
} honed_file_dim;

enum { HONED_RANK_UNKNOWN = 255 };

/* Its dimensions are the next `rank` of the section of dims. */
typedef struct honed_file_value {
  uint32_t name;
  uint8_t dtype, layout, zero_point, rank;
  uint32_t gap_rows, gap_cols;
  uint32_t constant;
  uint32_t reserved;
} honed_file_value;

/* Its operands are the next num_inputs + num_outputs values and num_consts constants of the section of operands; its attributes the
 * next num_attrs of theirs. */
typedef struct honed_file_op {
  uint32_t type, name;
  uint32_t num_inputs, num_outputs, num_consts, num_attrs;
} honed_file_op;

enum { HONED_ATTR_INT = 0, HONED_ATTR_FLOAT = 1 };

typedef struct honed_file_attr {
  uint32_t name;
  uint32_t kind;
  union {
    int64_t i;
    double f;
  } value;
} honed_file_attr;

/* PACKED4: s8 elements of 4 bits in two's complement, two to a byte, the first one in its lower half. */
enum { HONED_ENCODING_PLAIN = 0, HONED_ENCODING_PACKED4 = 1 };

typedef struct honed_file_constant {
  uint64_t offset; /* in the section of data */
  uint64_t bytes;
  uint32_t dtype;
  uint16_t rank, encoding;
  int64_t dims[8];
} honed_file_constant;

_Static_assert(sizeof(honed_file_section) == 24, "byte layout");
_Static_assert(sizeof(honed_file_header) == 64 + 24 * HONED_NUM_SECTIONS, "byte layout");
_Static_assert(sizeof(honed_file_dim) == 16, "byte layout");
_Static_assert(sizeof(honed_file_value) == 24, "byte layout");
_Static_assert(sizeof(honed_file_op) == 24, "byte layout");
_Static_assert(sizeof(honed_file_attr) == 16, "byte layout");
_Static_assert(sizeof(honed_file_constant) == 88, "byte layout");

#endif
