#include "cpu.h"

#include <stdlib.h>
#include <string.h>

#include "code_memory.h"

/* Of the top level: a CPU with VNNI alone still counts as that level. */
enum { extras = HONED_ISA_AVX512VBMI | HONED_ISA_AVX512BF16 | HONED_ISA_CODE };

static const struct {
  const char *name;
  honed_isa isa;
} levels[] = {
    {"avx512vnni", HONED_ISA_AVX2 | HONED_ISA_AVX512 | HONED_ISA_AVX512VNNI | extras},
    {"avx512", HONED_ISA_AVX2 | HONED_ISA_AVX512},
    {"avx2", HONED_ISA_AVX2},
    {"scalar", HONED_ISA_SCALAR},
};
enum { num_levels = sizeof levels / sizeof levels[0] };

honed_isa honed_isa_detected(void) {
  honed_isa isa = HONED_ISA_SCALAR;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isa |= HONED_ISA_AVX2;
  if ((isa & HONED_ISA_AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    isa |= HONED_ISA_AVX512;
    if (__builtin_cpu_supports("avx512vnni")) isa |= HONED_ISA_AVX512VNNI;
    if (__builtin_cpu_supports("avx512vbmi")) isa |= HONED_ISA_AVX512VBMI;
    if (__builtin_cpu_supports("avx512bf16")) isa |= HONED_ISA_AVX512BF16;
    if (honed_code_allowed()) isa |= HONED_ISA_CODE;
  }
#endif
  return isa;
}

honed_status honed_isa_parse(const char *name, honed_isa *out, honed_context *ctx) {
  for (int i = 0; i < num_levels; i++) {
    if (strcmp(name, levels[i].name) == 0) {
      *out = levels[i].isa;
      return HONED_OK;
    }
  }
  return honed_fail(ctx, HONED_INVALID_ARGUMENT, "unknown instruction set '%s': expected scalar, avx2, avx512 or avx512vnni", name);
}

honed_status honed_isa_allowed(honed_isa *out, honed_context *ctx) {
  const char *name = getenv("HONED_ISA"), *code = getenv("HONED_CODE");
  honed_isa detected = honed_isa_detected();
  if (code != NULL && strcmp(code, "0") == 0) detected &= ~(honed_isa)HONED_ISA_CODE;
  if (name == NULL || *name == '\0') {
    *out = detected;
    return HONED_OK;
  }
  honed_isa level = HONED_ISA_SCALAR;
  const honed_status status = honed_isa_parse(name, &level, ctx);
  if (status != HONED_OK) return status;
  if ((level & ~(honed_isa)extras & ~detected) != 0) {
    return honed_fail(ctx, HONED_INVALID_ARGUMENT, "HONED_ISA=%s, but this CPU has only %s", name, honed_isa_name(detected));
  }
  *out = level & detected;
  return HONED_OK;
}

const char *honed_isa_name(honed_isa isa) {
  for (int i = 0; i < num_levels; i++) {
    const honed_isa needed = levels[i].isa & ~(honed_isa)extras;
    if ((isa & needed) == needed) return levels[i].name;
  }
  return "scalar";
}
