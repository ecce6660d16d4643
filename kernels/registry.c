#include "base/operator.h"

#define HONED_OPERATOR(symbol) extern const honed_op_type symbol;
#include "operators.inc"
#undef HONED_OPERATOR

static const honed_op_type *const types[] = {
#define HONED_OPERATOR(symbol) &symbol,
#include "operators.inc"
#undef HONED_OPERATOR
    NULL,
};

const honed_op_type *const *honed_op_types(void) { return types; }
