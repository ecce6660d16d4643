/* For the loops: their prototypes, and a loop over HONED_PEAK_CHAINS accumulators. STEP(acc) is one instruction (or what stands for it) on
 * one of them. */
#ifndef HONED_PEAK_CHAINS_H
#define HONED_PEAK_CHAINS_H

#include "base/unroll.h"
#include "peak.h"

#define HONED_PEAK(isa, f32, u8s8, load) \
  int64_t f32(int64_t rounds);           \
  int64_t u8s8(int64_t rounds);          \
  void load(const void *data, size_t bytes, int64_t passes);
#include "kernels.inc"
#undef HONED_PEAK

#define HONED_PEAK_LOOP(rounds, acc, STEP)             \
  for (int64_t round = 0; round < (rounds); round++) { \
    HONED_UNROLL8(i, STEP(acc[i]))                     \
    HONED_UNROLL4(i, STEP(acc[8 + i]))                 \
  }

#endif
