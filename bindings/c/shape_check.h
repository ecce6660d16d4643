/* Input shapes against what a model says of its inputs. */
#ifndef HONED_SHAPE_CHECK_H
#define HONED_SHAPE_CHECK_H

#include "model.h"

/* Fails unless there is one shape per input, of its rank, with its fixed sizes, and equal sizes wherever two bear one name. */
honed_error *honed_check_input_shapes(const honed_model *model, const honed_shape *shapes, size_t num_inputs);

#endif
