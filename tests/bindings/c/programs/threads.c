/* Sessions of one model in several threads of the caller's, over one pool that is smaller than what they ask for. Meanwhile models
 * are loaded and deleted. Usage: threads MODEL */
#include <pthread.h>

#include "model.h"

enum { NUM_CALLERS = 4, ROUNDS = 60 };

typedef struct caller {
  const honed_engine *engine;
  const honed_model *model;
  const char *path;
  unsigned seed;
} caller;

static void *call(void *argument) {
  const caller *c = argument;
  const honed_session_options options = {sizeof options, c->seed % 2 == 0 ? 0 : 2};
  honed_session *session = NULL;
  CHECK_OK(honed_session_new(c->model, &options, &session));
  for (unsigned i = 0; i < ROUNDS; i++) run_and_check(session, shape_of(1 + i / 8 % 3, 5 + c->seed, 7), i + c->seed);
  honed_model *other = NULL;
  CHECK_OK(honed_model_load_file(c->engine, c->path, &other));
  honed_session_delete(session);
  CHECK_OK(honed_session_new(other, NULL, &session));
  honed_model_delete(other);
  run_and_check(session, shape_of(2, 3, 4), c->seed);
  honed_session_delete(session);
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  const honed_engine_options options = {sizeof options, 3};
  honed_engine *engine = NULL;
  honed_model *model = NULL;
  CHECK_OK(honed_engine_new(&options, &engine));
  CHECK_OK(honed_model_load_file(engine, argv[1], &model));
  pthread_t threads[NUM_CALLERS];
  caller callers[NUM_CALLERS];
  for (unsigned i = 0; i < NUM_CALLERS; i++) {
    callers[i] = (caller){engine, model, argv[1], i};
    CHECK(pthread_create(&threads[i], NULL, call, &callers[i]) == 0);
  }
  for (unsigned i = 0; i < NUM_CALLERS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  honed_engine_delete(engine);
  honed_model_delete(model);
  return 0;
}
