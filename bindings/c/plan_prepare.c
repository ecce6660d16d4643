/* The part of shaping that takes long, on several threads: each operator's plan is made by one of them. */
#include <stdatomic.h>

#include "error.h"
#include "plan.h"

typedef struct preparation {
  honed_plan *plan;
  uint32_t *ops; /* that have a plan to make. Weights tend to grow along a network: the last operator first */
  honed_error **errors;
  uint32_t count;
  _Atomic uint32_t taken;
} preparation;

static honed_error *prepare_op(honed_plan *plan, uint32_t index, honed_arena *memory) {
  const honed_model_op *op = &plan->model->ops[index];
  honed_call *call = &plan->calls[index];
  honed_context ctx;
  call->allocator = memory;
  const honed_status status = call->make_plan(call, &ctx);
  return status == HONED_OK ? NULL : honed_error_new(status, "%s (%s): %s", op->name, op->type->name, ctx.message);
}

/* A kernel, of a task per thread, whose scratch is its memory. Threads take operators one by one, whichever task is whose. */
static void prepare_ops(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  preparation *p = call->plan;
  (void)begin;
  (void)end;
  for (uint32_t i; (i = atomic_fetch_add_explicit(&p->taken, 1, memory_order_relaxed)) < p->count;) {
    p->errors[i] = prepare_op(p->plan, p->ops[i], &((honed_call_memory *)scratch)->arena);
  }
}

static honed_error *find_ops(preparation *p) {
  honed_plan *plan = p->plan;
  honed_error *error = honed_plan_table(plan, plan->end, sizeof *p->ops, &p->ops);
  if (error == NULL) error = honed_plan_table(plan, plan->end, sizeof *p->errors, &p->errors);
  for (uint32_t i = plan->end; i-- > plan->first && error == NULL;) {
    if (plan->calls[i].make_plan != NULL) p->ops[p->count++] = i;
  }
  return error;
}

/* The first operator's, whichever failed first. */
static honed_error *first_error(const preparation *p) {
  honed_error *error = NULL;
  for (uint32_t i = 0; i < p->count; i++) {
    if (p->errors[i] == NULL) continue;
    honed_error_delete(error);
    error = p->errors[i];
  }
  return error;
}

static honed_error *seal_code(const honed_plan *plan) {
  for (size_t i = 0; i < plan->num_threads; i++) {
    if (!honed_arena_seal_code(&plan->call_memory[i].arena)) {
      return honed_error_new(HONED_OUT_OF_MEMORY, "the system does not make code executable");
    }
  }
  return NULL;
}

honed_error *honed_plan_prepare(honed_plan *plan) {
  preparation p = {.plan = plan};
  honed_error *error = find_ops(&p);
  if (error != NULL) return error;
  honed_thread_pool *pool = plan->model->engine->pool;
  const size_t available = honed_thread_pool_size(pool), threads = plan->num_threads < available ? plan->num_threads : available;
  const honed_call call = {.kernel = prepare_ops, .plan = &p, .num_tasks = (int64_t)(p.count < threads ? p.count : threads)};
  honed_thread_pool_run_one(pool, &call, (char *)plan->call_memory, sizeof *plan->call_memory, threads);
  error = first_error(&p);
  return error == NULL ? seal_code(plan) : error;
}
