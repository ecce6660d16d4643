/* Runs a compiled image classifier on one input and prints the five classes with the highest scores.
 *
 *   cc classify.c $(pkg-config --cflags --libs honed) -o classify
 *   ./classify model.honed input.f32
 *
 * The input file holds the model's input as raw float32, row-major. Dimensions that the model leaves open are taken to be 1. */
#include <honed.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOP = 5 };

/* Prints what went wrong, if anything did. Returns whether it did. */
static int failed(honed_error *error) {
  if (error == NULL) return 0;
  fprintf(stderr, "classify: %s\n", honed_error_message(error));
  honed_error_delete(error);
  return 1;
}

static size_t count_elements(const honed_shape *shape) {
  size_t count = 1;
  for (size_t i = 0; i < shape->rank; i++) count *= (size_t)shape->dims[i];
  return count;
}

/* `count` floats from a file that holds exactly so many; NULL after a message. The caller frees them. */
static float *read_floats(const char *path, size_t count) {
  FILE *file = fopen(path, "rb");
  float *values = malloc((count + 1) * sizeof *values);
  size_t found = file == NULL || values == NULL ? 0 : fread(values, sizeof *values, count + 1, file);
  if (file != NULL) fclose(file);
  if (found == count) return values;
  fprintf(stderr, "classify: %s: expected %zu floats\n", path, count);
  free(values);
  return NULL;
}

static void print_top(const float *scores, size_t count) {
  char *printed = calloc(count, 1);
  for (size_t rank = 0; printed != NULL && rank < TOP && rank < count; rank++) {
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
      if (!printed[i] && (best == count || scores[i] > scores[best])) best = i;
    }
    printed[best] = 1;
    printf("%zu %g\n", best, (double)scores[best]);
  }
  free(printed);
}

static int run(honed_session *session, const char *input_path, const honed_shape *input_shape) {
  honed_shape output_shape;
  if (failed(honed_session_reshape(session, input_shape, 1))) return 1;
  if (failed(honed_session_output_shape(session, 0, &output_shape))) return 1;
  const size_t num_inputs = count_elements(input_shape), num_scores = count_elements(&output_shape);
  float *pixels = read_floats(input_path, num_inputs), *scores = calloc(num_scores, sizeof *scores);
  const honed_input input = {pixels, num_inputs * sizeof *pixels};
  const honed_output output = {scores, num_scores * sizeof *scores};
  int status = pixels == NULL || scores == NULL || failed(honed_session_run(session, &input, 1, &output, 1));
  if (!status) print_top(scores, num_scores);
  free(pixels);
  free(scores);
  return status;
}

static int classify(const honed_model *model, const char *input_path) {
  if (honed_model_num_inputs(model) != 1 || honed_value_type(honed_model_input(model, 0)) != HONED_ELEMENT_F32 ||
      honed_model_num_outputs(model) != 1 || honed_value_type(honed_model_output(model, 0)) != HONED_ELEMENT_F32) {
    fprintf(stderr, "classify: expected a model with one float input and one float output\n");
    return 1;
  }
  honed_shape shape = honed_value_shape(honed_model_input(model, 0));
  for (size_t i = 0; i < shape.rank; i++) {
    if (shape.dims[i] < 0) shape.dims[i] = 1;
  }
  honed_session *session = NULL;
  if (failed(honed_session_new(model, NULL, &session))) return 1;
  const int status = run(session, input_path, &shape);
  honed_session_delete(session);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: classify MODEL.honed INPUT.f32\n");
    return 2;
  }
  honed_engine *engine = NULL;
  honed_model *model = NULL;
  int status = failed(honed_engine_new(NULL, &engine)) || failed(honed_model_load_file(engine, argv[1], &model));
  if (!status) status = classify(model, argv[2]);
  honed_model_delete(model);
  honed_engine_delete(engine);
  return status;
}
