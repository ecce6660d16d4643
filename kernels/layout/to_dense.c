/* to_dense: planar -> dense, same dtype. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "elementwise/elementwise.h"

typedef struct copy_params {
  honed_elementwise base;
  size_t element_bytes;
} copy_params;

static void copy_span(const void *params, const void *const *in, void *out, int64_t n) {
  memcpy(out, in[0], (size_t)n * ((const copy_params *)params)->element_bytes);
}

static honed_status create(const honed_op_spec *spec, void **params, honed_context *ctx) {
  honed_status status = honed_spec_arity(spec, 1, 1, 1, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->inputs[0], "input 0", HONED_PLANAR, ctx);
  if (status == HONED_OK) status = honed_check_layout(spec->outputs[0], "output 0", HONED_DENSE, ctx);
  if (status == HONED_OK) status = honed_check_dtype(spec->outputs[0], "output 0", spec->inputs[0]->dtype, ctx);
  if (status != HONED_OK) return status;
  const copy_params p = {{.kernel = {"honed_to_dense", copy_span}}, honed_dtype_bytes(spec->inputs[0]->dtype)};
  return honed_params_copy(&p, sizeof p, params, ctx);
}

const honed_op_type honed_op_to_dense = {
    .name = "to_dense",
    .create = create,
    .destroy = free,
    .reshape = honed_elementwise_reshape,
    .kernel_name = honed_elementwise_name,
    .flags = HONED_OP_PER_IMAGE,
};
