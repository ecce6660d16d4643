#include "chains.h"

#define HONED_PEAK(isa, f32, u8s8, load) {isa, f32, u8s8, load},
static const honed_peak peaks[] = {
#include "kernels.inc"
    {0, NULL, NULL, NULL},
};
#undef HONED_PEAK

const honed_peak *honed_peak_find(honed_isa allowed) {
  for (const honed_peak *p = peaks; p->load != NULL; p++) {
    if ((p->isa & ~allowed) == 0) return p;
  }
  return NULL;
}
