/* The C API: lifetimes, introspection, shapes, buffers, options. Usage: runtime MODEL FIXED_MODEL */
#include "model.h"

static void check_nulls(void) {
  honed_error_delete(NULL);
  honed_engine_delete(NULL);
  honed_model_delete(NULL);
  honed_session_delete(NULL);
  CHECK(honed_abi_version() == HONED_ABI_VERSION);
  CHECK(strcmp(honed_version(), HONED_VERSION) == 0);
}

static void check_options(const char *path) {
  honed_engine *engine = NULL;
  honed_engine_options options = {.struct_size = sizeof(size_t), .num_threads = 99};
  CHECK_OK(honed_engine_new(&options, &engine)); /* a struct without num_threads */
  CHECK(honed_engine_num_threads(engine) < 99);
  honed_engine_delete(engine);
  engine = NULL;
  options.struct_size = sizeof options + 8;
  CHECK_FAILS(honed_engine_new(&options, &engine), HONED_ERROR_INVALID_ARGUMENT, "honed_engine_options.struct_size is 24");
  options.struct_size = 0;
  CHECK_FAILS(honed_engine_new(&options, &engine), HONED_ERROR_INVALID_ARGUMENT, "struct_size is 0");
  options = (honed_engine_options){sizeof options, 5000};
  CHECK_FAILS(honed_engine_new(&options, &engine), HONED_ERROR_INVALID_ARGUMENT, "5000 threads, expected at most 1024");
  CHECK(engine == NULL);
  CHECK_OK(honed_engine_new(NULL, &engine));
  honed_model *model = NULL;
  CHECK_OK(honed_model_load_file(engine, path, &model));
  honed_session *session = NULL;
  honed_session_options session_options = {1, 1};
  CHECK_FAILS(honed_session_new(model, &session_options, &session), HONED_ERROR_INVALID_ARGUMENT, "honed_session_options.struct_size");
  CHECK(session == NULL);
  honed_model_delete(model);
  honed_engine_delete(engine);
}

static void check_introspection(const honed_engine *engine, const char *path) {
  honed_model *model = NULL;
  CHECK_OK(honed_model_load_file(engine, path, &model));
  CHECK(honed_model_num_inputs(model) == 1 && honed_model_num_outputs(model) == NUM_OUTPUTS);
  const honed_value *x = honed_model_input(model, 0);
  CHECK(strcmp(honed_value_name(x), "x") == 0 && honed_value_type(x) == HONED_ELEMENT_F32);
  const honed_shape shape = honed_value_shape(x);
  CHECK(shape.rank == 4 && shape.dims[0] == -1 && shape.dims[1] == 2 && shape.dims[2] == -1);
  CHECK(strcmp(honed_value_symbol(x, 0), "n") == 0 && honed_value_symbol(x, 1) == NULL && honed_value_symbol(x, 9) == NULL);
  CHECK(strcmp(honed_value_name(honed_model_output(model, 1)), "total") == 0);
  CHECK(honed_model_input(model, 1) == NULL && honed_model_output(model, NUM_OUTPUTS) == NULL);
  CHECK(honed_model_num_ops(model) == 8);
  CHECK(strcmp(honed_model_op_type(model, 1), "left_sum") == 0 && strcmp(honed_model_op_name(model, 1), "sum of x") == 0);
  CHECK(strcmp(honed_model_op_kernel(model, 0), "test") == 0);
  CHECK(honed_model_op_type(model, 8) == NULL && honed_model_op_name(model, 8) == NULL && honed_model_op_kernel(model, 8) == NULL);
  CHECK(honed_element_bytes(HONED_ELEMENT_S64) == 8 && honed_element_bytes((honed_element_type)77) == 0);
  honed_model_delete(model);
}

static void check_shapes(honed_session *session) {
  honed_shape out;
  CHECK_FAILS(honed_session_output_shape(session, 0, &out), HONED_ERROR_INVALID_ARGUMENT, "honed_session_reshape");
  CHECK_FAILS(honed_session_run(session, NULL, 0, NULL, 0), HONED_ERROR_INVALID_ARGUMENT, "honed_session_reshape");
  CHECK(honed_session_memory_bytes(session) == 0 && honed_session_op_tasks(session, 0) == 0);
  run_and_check(session, shape_of(2, 5, 7), 1);
  CHECK_OK(honed_session_output_shape(session, 0, &out));
  CHECK(out.rank == 1 && out.dims[0] == 2 * 2 * 5 * 7);
  CHECK_FAILS(honed_session_output_shape(session, NUM_OUTPUTS, &out), HONED_ERROR_INVALID_ARGUMENT, "output 4 of 4");
  CHECK(honed_session_op_tasks(session, 0) == 4 && honed_session_op_tasks(session, 2) == 0);
  run_and_check(session, shape_of(1, 1, 1), 2);
  run_and_check(session, shape_of(3, 40, 65), 3);
  run_and_check(session, shape_of(0, 4, 4), 4);
  run_and_check(session, shape_of(2, 5, 7), 5);
  for (unsigned i = 0; i < 20; i++) run_and_check(session, shape_of(16, 40, 65), i); /* long enough for all threads to come */
}

/* After a shape that is refused, by the model or by an operator, the session runs as before. */
static void check_refused_shapes(honed_session *session) {
  run_and_check(session, shape_of(2, 5, 7), 6);
  buffers b = buffers_new(shape_of(2, 5, 7), 7);
  const honed_shape wrong_channels = {4, {2, 3, 5, 7}}, wrong_rank = {3, {2, 5, 7}}, negative = {4, {-1, 2, 5, 7}},
                    thirteen = shape_of(13, 5, 7);
  const honed_shape too_many = {1000, {0}}, huge = {4, {INT32_MAX, 2, INT32_MAX, INT32_MAX}};
  const honed_error_code code = HONED_ERROR_INVALID_SHAPE;
  CHECK_FAILS(honed_session_reshape(session, &wrong_channels, 1), code, "input x has the shape [2,3,5,7], expected [n,2,h,w]");
  CHECK_FAILS(honed_session_reshape(session, &wrong_rank, 1), code, "input x has the shape [2,5,7], expected [n,2,h,w]");
  CHECK_FAILS(honed_session_reshape(session, &negative, 1), code, "input x");
  CHECK_FAILS(honed_session_reshape(session, &too_many, 1), code, "input x has rank 1000, expected 4");
  CHECK_FAILS(honed_session_reshape(session, &huge, 1), code, "input x: tensor is too large");
  CHECK_FAILS(honed_session_reshape(session, &thirteen, 1), code, "plus one (increment): first dimension is 13");
  CHECK_FAILS(honed_session_reshape(session, &thirteen, 2), HONED_ERROR_INVALID_ARGUMENT, "2 input shapes, expected 1");
  const honed_shape beyond_memory = shape_of(1 << 20, 1 << 14, 1 << 13);
  CHECK_FAILS(honed_session_reshape(session, &beyond_memory, 1), HONED_ERROR_OUT_OF_MEMORY, "out of memory");
  CHECK_OK(buffers_run(session, &b));
  buffers_check(&b);
  buffers_delete(&b);
}

static void check_buffers(honed_session *session) {
  const honed_shape shape = shape_of(1, 2, 3);
  CHECK_OK(honed_session_reshape(session, &shape, 1));
  buffers b = buffers_new(shape, 8);
  const size_t bytes = b.count * sizeof(float);
  honed_input input = {b.x, bytes};
  honed_output outputs[NUM_OUTPUTS] = {{b.flat, bytes}, {b.total, bytes}, {b.i, bytes}, {b.same, bytes}};
  const honed_error_code code = HONED_ERROR_INVALID_ARGUMENT;
  CHECK_FAILS(honed_session_run(session, &input, 0, outputs, NUM_OUTPUTS), code, "0 inputs, expected 1");
  CHECK_FAILS(honed_session_run(session, &input, 1, outputs, 3), code, "3 outputs, expected 4");
  input.bytes--;
  CHECK_FAILS(honed_session_run(session, &input, 1, outputs, NUM_OUTPUTS), code,
              "input x has 47 bytes, expected 48 for f32 dense [1,2,2,3]");
  input = (honed_input){(const char *)b.x + 1, bytes};
  CHECK_FAILS(honed_session_run(session, &input, 1, outputs, NUM_OUTPUTS), code, "input x is not aligned to its elements");
  input = (honed_input){NULL, bytes};
  CHECK_FAILS(honed_session_run(session, &input, 1, outputs, NUM_OUTPUTS), code, "input x is NULL");
  input.data = b.x;
  outputs[1].bytes = bytes + 4;
  CHECK_FAILS(honed_session_run(session, &input, 1, outputs, NUM_OUTPUTS), code, "output total has 52 bytes, expected 48");
  CHECK_OK(buffers_run(session, &b));
  buffers_check(&b);
  buffers_delete(&b);
}

static void check_profile(honed_session *session) {
  run_and_check(session, shape_of(2, 9, 9), 9);
  CHECK(honed_session_profile_runs(session) == 0 && honed_session_profile_seconds(session, 1) == 0);
  honed_session_profile(session, 1);
  for (int i = 0; i < 3; i++) run_and_check(session, shape_of(2, 9, 9), 10);
  CHECK(honed_session_profile_runs(session) == 3 && honed_session_profile_seconds(session, 1) > 0);
  honed_session_profile(session, 0);
  run_and_check(session, shape_of(2, 9, 9), 11);
  CHECK(honed_session_profile_runs(session) == 3 && honed_session_profile_seconds(session, 99) == 0);
}

static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
  *size = (size_t)ftell(file);
  rewind(file);
  char *bytes = aligned_alloc(64, (*size + 64) / 64 * 64 + 64);
  CHECK(bytes != NULL && fread(bytes, 1, *size, file) == *size);
  fclose(file);
  return bytes;
}

/* Copied bytes may go away; a model outlives its engine, and a session its model. */
static void check_sources_and_lifetimes(const char *path) {
  size_t size = 0;
  char *bytes = read_file(path, &size);
  const honed_engine_options options = {sizeof options, 2};
  honed_engine *engine = NULL;
  honed_model *copied = NULL, *borrowed = NULL;
  honed_session *first = NULL, *second = NULL;
  CHECK_OK(honed_engine_new(&options, &engine));
  CHECK_OK(honed_model_load_bytes(engine, bytes, size, &copied));
  CHECK_OK(honed_model_load_borrowed(engine, bytes, size, &borrowed));
  CHECK_FAILS(honed_model_load_borrowed(engine, bytes + 1, size, &borrowed), HONED_ERROR_INVALID_ARGUMENT, "aligned to 64");
  CHECK_FAILS(honed_model_load_bytes(engine, NULL, 0, &copied), HONED_ERROR_INVALID_ARTIFACT, "not a .honed file");
  CHECK_OK(honed_session_new(copied, NULL, &first));
  CHECK_OK(honed_session_new(borrowed, NULL, &second));
  honed_engine_delete(engine);
  honed_model_delete(copied);
  honed_model_delete(borrowed);
  run_and_check(first, shape_of(2, 5, 7), 12);
  run_and_check(second, shape_of(2, 5, 7), 13);
  honed_session_delete(second);
  memset(bytes, 0xAA, size);
  free(bytes);
  run_and_check(first, shape_of(3, 5, 7), 14);
  honed_session_delete(first);
}

static void check_fixed_shapes(const honed_engine *engine, const char *path) {
  honed_model *model = NULL;
  honed_session *session = NULL;
  CHECK_OK(honed_model_load_file(engine, path, &model));
  CHECK_OK(honed_session_new(model, NULL, &session));
  buffers b = buffers_new(shape_of(1, 3, 4), 15);
  CHECK_OK(buffers_run(session, &b));
  buffers_check(&b);
  buffers_delete(&b);
  honed_session_delete(session);
  honed_model_delete(model);
}

static void check_files(const honed_engine *engine) {
  honed_model *model = NULL;
  CHECK_FAILS(honed_model_load_file(engine, "no/such/file", &model), HONED_ERROR_IO, "no/such/file: No such file");
  CHECK_FAILS(honed_model_load_file(engine, "/", &model), HONED_ERROR_IO, "/: not a regular file");
  CHECK_FAILS(honed_model_load_file(engine, "/dev/null", &model), HONED_ERROR_IO, "/dev/null: not a regular file");
  CHECK(model == NULL);
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  check_nulls();
  check_options(argv[1]);
  check_sources_and_lifetimes(argv[1]);
  for (size_t threads = 1; threads <= 4; threads++) {
    const honed_engine_options options = {sizeof options, threads};
    honed_engine *engine = NULL;
    honed_model *model = NULL;
    honed_session *session = NULL;
    CHECK_OK(honed_engine_new(&options, &engine));
    CHECK(honed_engine_num_threads(engine) == threads && strlen(honed_engine_isa(engine)) > 0);
    check_introspection(engine, argv[1]);
    check_files(engine);
    check_fixed_shapes(engine, argv[2]);
    CHECK_OK(honed_model_load_file(engine, argv[1], &model));
    CHECK_OK(honed_session_new(model, NULL, &session));
    CHECK(honed_session_num_threads(session) == threads);
    check_shapes(session);
    check_refused_shapes(session);
    check_buffers(session);
    check_profile(session);
    honed_session_delete(session);
    honed_model_delete(model);
    honed_engine_delete(engine);
  }
  return 0;
}
