/* A child process goes on with what its parent made, and with an engine of its own. Usage: forked MODEL */
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"

static honed_session *open_session(const char *path, size_t num_threads) {
  const honed_engine_options options = {sizeof options, num_threads};
  honed_engine *engine = NULL;
  honed_model *model = NULL;
  honed_session *session = NULL;
  CHECK_OK(honed_engine_new(&options, &engine));
  CHECK_OK(honed_model_load_file(engine, path, &model));
  CHECK_OK(honed_session_new(model, NULL, &session));
  honed_model_delete(model);
  honed_engine_delete(engine);
  return session;
}

int main(int argc, char **argv) {
  CHECK(argc == 2);
  honed_session *session = open_session(argv[1], 3);
  run_and_check(session, shape_of(2, 5, 7), 0);
  const pid_t child = fork();
  CHECK(child >= 0);
  run_and_check(session, shape_of(2, 5, 7), 1);
  run_and_check(session, shape_of(3, 5, 7), 2);
  honed_session_delete(session);
  session = open_session(argv[1], 3);
  run_and_check(session, shape_of(2, 5, 7), 3);
  honed_session_delete(session);
  if (child == 0) return 0;
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return 0;
}
