#include <string.h>

#include "base/planes.h"
#include "channels.h"

static void copy_rows(const honed_tensor *from_tensor, const char *from, const honed_tensor *to_tensor, char *to) {
  const int64_t element = (int64_t)honed_dtype_bytes(to_tensor->dtype);
  for (int64_t y = 0; y < to_tensor->dims[2]; y++) {
    memcpy(to + y * to_tensor->row_stride * element, from + y * from_tensor->row_stride * element, (size_t)(to_tensor->dims[3] * element));
  }
  honed_planar_fill_gaps(to_tensor, to, 0, to_tensor->dims[2]);
}

static bool same_strides(const honed_tensor *a, const honed_tensor *b) {
  return a->row_stride == b->row_stride && a->plane_stride == b->plane_stride;
}

/* Channels from `channel` on, at most `limit`, that lie side by side in their input as they do in the output. */
static int64_t run_length(const honed_channel_source *sources, int64_t channel, int64_t limit) {
  int64_t n = 1;
  while (n < limit && sources[channel + n].input == sources[channel].input &&
         sources[channel + n].channel == sources[channel].channel + n) {
    n++;
  }
  return n;
}

static void copy_planes(const honed_call *call, void *scratch, int64_t begin, int64_t end) {
  (void)scratch;
  const honed_channel_source *sources = call->plan;
  const honed_tensor *to = call->outputs[0];
  const honed_planes y = honed_planes_of(to);
  const int64_t channels = to->dims[1];
  for (int64_t plane = begin; plane < end;) {
    const int64_t image = plane / channels, channel = plane % channels;
    const honed_tensor *from = call->inputs[sources[channel].input];
    const honed_planes x = honed_planes_of(from);
    const char *source = x.data + (image * from->dims[1] + sources[channel].channel) * x.plane_bytes;
    int64_t n = 1;
    if (same_strides(from, to)) {
      const int64_t rest = channels - channel;
      n = run_length(sources, channel, rest < end - plane ? rest : end - plane);
      memcpy(y.data + plane * y.plane_bytes, source, (size_t)(n * y.plane_bytes));
    } else {
      copy_rows(from, source, to, y.data + plane * y.plane_bytes);
    }
    plane += n;
  }
}

honed_status honed_channels_plan(honed_call *call, int64_t channels, honed_channel_source **sources, honed_context *ctx) {
  const honed_tensor *x = call->inputs[0];
  const int64_t dims[4] = {x->dims[0], channels, x->dims[2], x->dims[3]};
  void *memory = NULL;
  honed_status status = honed_call_output(call, 0, 4, dims, ctx);
  if (status == HONED_OK) status = honed_call_alloc(call, (size_t)channels * sizeof **sources, &memory, ctx);
  if (status != HONED_OK) return status;
  call->plan = memory;
  call->kernel = copy_planes;
  call->scratch_bytes = 0;
  call->num_tasks = dims[0] * dims[1];
  *sources = memory;
  return HONED_OK;
}
