/* Counts what 10,000 runs allocate, in all threads, beyond the first run at their shape. Usage: allocations MODEL THREADS */
#include <stdatomic.h>
#include <stddef.h>

#include "model.h"

/* The C library's own functions, by the names under which glibc keeps them for those who replace malloc. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static _Atomic long allocations;

void *malloc(size_t bytes) {
  allocations++;
  return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
  allocations++;
  return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
  allocations++;
  return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  allocations++;
  return __libc_memalign(alignment, bytes);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  const honed_engine_options options = {sizeof options, (size_t)atoi(argv[2])};
  honed_engine *engine = NULL;
  honed_model *model = NULL;
  honed_session *session = NULL;
  CHECK_OK(honed_engine_new(&options, &engine));
  CHECK_OK(honed_model_load_file(engine, argv[1], &model));
  CHECK_OK(honed_session_new(model, NULL, &session));
  const honed_shape shape = shape_of(2, 5, 7);
  buffers b = buffers_new(shape, 0);
  CHECK_OK(honed_session_reshape(session, &shape, 1));
  CHECK_OK(buffers_run(session, &b));
  const long before = allocations;
  CHECK(before > 0);
  for (int i = 0; i < 10000; i++) {
    CHECK_OK(honed_session_reshape(session, &shape, 1));
    CHECK_OK(buffers_run(session, &b));
  }
  printf("%ld\n", allocations - before);
  buffers_check(&b);
  buffers_delete(&b);
  honed_session_delete(session);
  honed_model_delete(model);
  honed_engine_delete(engine);
  return 0;
}
