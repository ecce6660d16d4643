/* Damages a .honed file in many ways and does with each result what a user would: load, list, shape, run. Nothing but errors may
 * come of it. Half of the damage has its checksums made right again, so that it reaches the checks behind them.
 *
 * Usage: fuzz MODEL MUTATIONS SEED. Prints how many of the damaged files were refused by the loader, how many by reshape, and how many ran.
 */
#include <stdbool.h>
#include <stdint.h>

#include "artifact_format.h"
#include "base/crc32c.h"
#include "check.h"

enum { MAX_MEMORY = 1 << 24, MAX_BORDER = 64 };

static uint64_t state;

/* xorshift64* (Marsaglia; Vigna); bound > 0 */
static uint64_t next(uint64_t bound) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return ((state * UINT64_C(2685821657736338717)) >> 11) % bound;
}

typedef struct file {
  unsigned char *bytes;
  size_t size;
} file;

static uint64_t interesting(uint64_t old) {
  static const uint64_t values[] = {0, 1, 2, 7, 64, 255, 256, 4096, 65535, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, (uint64_t)1 << 40};
  switch (next(4)) {
    case 0: return values[next(sizeof values / sizeof values[0])];
    case 1: return old + 1 + next(4);
    case 2: return old - 1 - next(4);
    default: return next(64);
  }
}

/* Overwrites one field of 1, 2, 4 or 8 bytes within [begin, begin + bytes). */
static void change_field(file *f, size_t begin, size_t bytes) {
  if (bytes == 0) return;
  const size_t width = (size_t)1 << next(4), at = begin + next((bytes + width - 1) / width) * width;
  uint64_t value = 0;
  const size_t length = at + width <= f->size ? width : f->size - at;
  memcpy(&value, f->bytes + at, length);
  value = interesting(value);
  memcpy(f->bytes + at, &value, length);
}

static void flip_bytes(file *f, size_t begin, size_t bytes) {
  for (uint64_t count = 1 + next(8); count > 0 && bytes > 0; count--) f->bytes[begin + next(bytes)] = (unsigned char)next(256);
}

/* Copies 24 bytes, about a record, over others of the same section. */
static void repeat_record(file *f, size_t begin, size_t bytes) {
  if (bytes >= 48) memmove(f->bytes + begin + next(bytes / 24) * 24, f->bytes + begin + next(bytes / 24) * 24, 24);
}

static honed_file_header *header(const file *f) { return (honed_file_header *)(void *)f->bytes; }

static void change_section(file *f) {
  const honed_file_section s = header(f)->sections[next(HONED_NUM_SECTIONS)];
  switch (next(4)) {
    case 0: flip_bytes(f, s.offset, s.bytes); break;
    case 1: repeat_record(f, s.offset, s.bytes); break;
    default: change_field(f, s.offset, s.bytes); break;
  }
}

static void correct_checksums(file *f) {
  honed_file_header *h = header(f);
  for (int i = 0; i < HONED_NUM_SECTIONS; i++) {
    honed_file_section *s = &h->sections[i];
    if (s->offset <= f->size && s->bytes <= f->size - s->offset) s->crc = honed_crc32c(f->bytes + s->offset, s->bytes);
  }
  h->crc = 0;
  h->crc = honed_crc32c(h, sizeof *h);
}

/* Into memory that ends where the file does. */
static void truncate_file(file *f) {
  file copy = {NULL, next(f->size)};
  CHECK(posix_memalign((void **)&copy.bytes, 64, copy.size) == 0);
  memcpy(copy.bytes, f->bytes, copy.size);
  free(f->bytes);
  *f = copy;
}

static void damage(file *f) {
  switch (next(8)) {
    case 0: flip_bytes(f, 0, f->size); return;
    case 1: truncate_file(f); return;
    case 2: change_field(f, 0, sizeof(honed_file_header)); return;
    case 3: change_field(f, 8, sizeof(honed_file_header) - 8); break;
    default:
      for (uint64_t count = 1 + next(3); count > 0; count--) change_section(f);
  }
  correct_checksums(f);
}

/* Runs with buffers of exactly the right size, so that a step outside of them is seen. */
static void run(honed_session *session, const honed_model *model) {
  honed_input inputs[MAX_BORDER];
  honed_output outputs[MAX_BORDER];
  const size_t num_inputs = honed_model_num_inputs(model), num_outputs = honed_model_num_outputs(model);
  for (size_t i = 0; i < num_inputs + num_outputs; i++) {
    const honed_value *value = i < num_inputs ? honed_model_input(model, i) : honed_model_output(model, i - num_inputs);
    honed_shape shape = honed_value_shape(value);
    for (size_t axis = 0; i < num_inputs && axis < shape.rank; axis++) shape.dims[axis] = shape.dims[axis] < 0 ? 3 : shape.dims[axis];
    if (i >= num_inputs) CHECK_OK(honed_session_output_shape(session, i - num_inputs, &shape));
    size_t bytes = honed_element_bytes(honed_value_type(value));
    for (size_t axis = 0; axis < shape.rank; axis++) bytes *= (size_t)shape.dims[axis];
    void *data = calloc(1, bytes + (bytes == 0));
    CHECK(data != NULL);
    if (i < num_inputs) {
      inputs[i] = (honed_input){data, bytes};
    } else {
      outputs[i - num_inputs] = (honed_output){data, bytes};
    }
  }
  honed_error_delete(honed_session_run(session, inputs, num_inputs, outputs, num_outputs));
  for (size_t i = 0; i < num_inputs; i++) free((void *)inputs[i].data);
  for (size_t i = 0; i < num_outputs; i++) free(outputs[i].data);
}

/* Bytes of all inputs, with 3 for a dimension that is open; SIZE_MAX where they are too many to be tried. */
static size_t shapes_of(const honed_model *model, honed_shape *shapes) {
  size_t sum = 0;
  for (size_t i = 0; i < honed_model_num_inputs(model); i++) {
    shapes[i] = honed_value_shape(honed_model_input(model, i));
    double bytes = 8;
    for (size_t axis = 0; axis < shapes[i].rank; axis++) {
      if (shapes[i].dims[axis] < 0) shapes[i].dims[axis] = 3;
      bytes *= (double)shapes[i].dims[axis];
    }
    if (bytes > MAX_MEMORY) return SIZE_MAX;
    sum += (size_t)bytes;
  }
  return sum;
}

static size_t output_bytes(const honed_session *session, const honed_model *model) {
  size_t sum = 0;
  for (size_t i = 0; i < honed_model_num_outputs(model); i++) {
    honed_shape shape;
    CHECK_OK(honed_session_output_shape(session, i, &shape));
    size_t bytes = 8;
    for (size_t axis = 0; axis < shape.rank; axis++) bytes *= (size_t)shape.dims[axis];
    sum += bytes;
  }
  return sum;
}

typedef enum outcome { REFUSED, UNSHAPED, SKIPPED, RAN, NUM_OUTCOMES } outcome;

static outcome use(const honed_engine *engine, const file *f) {
  honed_model *model = NULL;
  honed_session *session = NULL;
  honed_shape shapes[MAX_BORDER];
  honed_error *error = honed_model_load_borrowed(engine, f->bytes, f->size, &model);
  if (error != NULL) {
    CHECK(strlen(honed_error_message(error)) > 0);
    honed_error_delete(error);
    return REFUSED;
  }
  outcome result = SKIPPED;
  if (shapes_of(model, shapes) <= MAX_MEMORY) {
    result = UNSHAPED;
    error = honed_session_new(model, NULL, &session);
    if (error == NULL) error = honed_session_reshape(session, shapes, honed_model_num_inputs(model));
    if (error == NULL && (honed_session_memory_bytes(session) > MAX_MEMORY || output_bytes(session, model) > MAX_MEMORY)) {
      result = SKIPPED;
    } else if (error == NULL) {
      run(session, model);
      result = RAN;
    }
  }
  honed_error_delete(error);
  honed_session_delete(session);
  honed_model_delete(model);
  return result;
}

static file read_file(const char *path) {
  FILE *stream = fopen(path, "rb");
  CHECK(stream != NULL && fseek(stream, 0, SEEK_END) == 0);
  const long size = ftell(stream);
  rewind(stream);
  file f = {malloc((size_t)size), (size_t)size};
  CHECK(f.bytes != NULL && fread(f.bytes, 1, f.size, stream) == f.size);
  fclose(stream);
  return f;
}

int main(int argc, char **argv) {
  CHECK(argc == 4);
  const file original = read_file(argv[1]);
  const long mutations = atol(argv[2]);
  const uint64_t seed = strtoull(argv[3], NULL, 10);
  const honed_engine_options options = {sizeof options, 1};
  honed_engine *engine = NULL;
  CHECK_OK(honed_engine_new(&options, &engine));
  long counts[NUM_OUTCOMES] = {0};
  for (long i = 0; i < mutations; i++) {
    state = (seed + (uint64_t)i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    file f = {NULL, original.size};
    CHECK(posix_memalign((void **)&f.bytes, 64, original.size) == 0); /* of exactly this size: a read beyond it is seen */
    memcpy(f.bytes, original.bytes, original.size);
    if (i > 0) damage(&f);
    counts[use(engine, &f)]++;
    free(f.bytes);
  }
  free(original.bytes);
  honed_engine_delete(engine);
  printf("%ld %ld %ld %ld\n", counts[REFUSED], counts[UNSHAPED], counts[SKIPPED], counts[RAN]);
  return 0;
}
