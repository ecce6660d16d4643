/* One thread's use of a model. */
#ifndef HONED_SESSION_H
#define HONED_SESSION_H

#include "batch.h"
#include "honed.h"

struct honed_session {
  honed_model *model;
  size_t num_threads;
  honed_plan *plan; /* NULL: no shapes yet */
  honed_batch batch;
  bool profiling;
  uint64_t profile_runs;
  double profile_seconds[]; /* per operator */
};

/* What functions that need shapes say where there are none. */
honed_error *honed_session_without_shapes(void);

#endif
