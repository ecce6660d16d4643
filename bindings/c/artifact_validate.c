#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "artifact.h"
#include "base/operator.h"
#include "base/tensor.h"

enum { max_gap = 4096, max_operands = 64, max_border = 1024 };
_Static_assert((int)max_operands <= (int)HONED_MAX_INPUTS && (int)max_operands <= (int)HONED_MAX_OUTPUTS, "operands fit the operators");

/* Where the walk over the operators is. */
typedef struct cursor {
  const honed_artifact *a;
  honed_context *ctx;
  bool *defined;          /* per value */
  uint32_t operand, attr; /* the next ones */
  uint32_t op;
} cursor;

#define FAIL(ctx, ...) honed_fail(ctx, HONED_INVALID_ARTIFACT, __VA_ARGS__)

static bool is_string(const honed_artifact *a, uint32_t offset) { return offset < a->strings_bytes; }

static bool is_dtype(uint32_t dtype) { return honed_dtype_bytes((honed_dtype)dtype) != 0; }

static honed_status check_strings(const honed_artifact *a, honed_context *ctx) {
  if (a->strings_bytes == 0 || a->strings[0] != '\0' || a->strings[a->strings_bytes - 1] != '\0') {
    return FAIL(ctx, "section strings does not begin and end with a zero byte");
  }
  return HONED_OK;
}

static honed_status check_constant(const honed_artifact *a, uint32_t i, honed_context *ctx) {
  const honed_file_constant *c = &a->constants[i];
  if (!is_dtype(c->dtype)) return FAIL(ctx, "constant %" PRIu32 " has the unknown dtype %" PRIu32, i, c->dtype);
  if (c->rank > HONED_MAX_RANK) return FAIL(ctx, "constant %" PRIu32 " has rank %d, expected at most %d", i, c->rank, HONED_MAX_RANK);
  honed_tensor t = {.dtype = (honed_dtype)c->dtype, .layout = HONED_DENSE};
  honed_context reason;
  if (honed_tensor_reshape(&t, (int)c->rank, c->dims, &reason) != HONED_OK) {
    return FAIL(ctx, "constant %" PRIu32 ": %.400s", i, reason.message);
  }
  for (uint32_t axis = c->rank; axis < HONED_MAX_RANK; axis++) {
    if (c->dims[axis] != 0) return FAIL(ctx, "constant %" PRIu32 " has a dimension behind its last", i);
  }
  if (c->encoding > HONED_ENCODING_PACKED4 || (c->encoding == HONED_ENCODING_PACKED4 && c->dtype != HONED_S8)) {
    return FAIL(ctx, "constant %" PRIu32 " of dtype %" PRIu32 " has the encoding %d", i, c->dtype, c->encoding);
  }
  const size_t elements = honed_tensor_buffer_bytes(&t), expected = c->encoding == HONED_ENCODING_PLAIN ? elements : (elements + 1) / 2;
  if (c->bytes != expected) return FAIL(ctx, "constant %" PRIu32 " has %" PRIu64 " bytes, expected %zu", i, c->bytes, expected);
  if (c->offset % HONED_FILE_ALIGN != 0 || c->offset > a->data_bytes || c->bytes > a->data_bytes - c->offset) {
    return FAIL(ctx, "constant %" PRIu32 " has %" PRIu64 " bytes at %" PRIu64 ", which is misaligned or outside of %" PRIu64, i, c->bytes,
                c->offset, a->data_bytes);
  }
  return HONED_OK;
}

/* Packed constants share no data, so that what they are expanded to is not larger than twice the file. */
static honed_status check_constants(const honed_artifact *a, honed_context *ctx) {
  uint64_t packed = 0;
  for (uint32_t i = 0; i < a->num_constants; i++) {
    const honed_status status = check_constant(a, i, ctx);
    if (status != HONED_OK) return status;
    if (a->constants[i].encoding == HONED_ENCODING_PACKED4) packed += a->constants[i].bytes;
    if (packed > a->data_bytes) return FAIL(ctx, "constant %" PRIu32 " and packed ones before it share data", i);
  }
  return HONED_OK;
}

static honed_status check_dims(const honed_artifact *a, uint32_t value, uint32_t first, honed_context *ctx) {
  const uint32_t rank = a->values[value].rank;
  if (rank > HONED_MAX_RANK) return FAIL(ctx, "value %" PRIu32 " has rank %" PRIu32 ", expected at most %d", value, rank, HONED_MAX_RANK);
  if (rank > a->num_dims - first) return FAIL(ctx, "value %" PRIu32 ": section dims ends too early", value);
  for (const honed_file_dim *d = a->dims + first; d < a->dims + first + rank; d++) {
    if (d->size < -1 || d->size > INT32_MAX || !is_string(a, d->symbol) || d->reserved != 0) {
      return FAIL(ctx, "value %" PRIu32 " has a dimension of %" PRId64 ", or a bad name of one", value, d->size);
    }
  }
  return HONED_OK;
}

static honed_status check_layout(const honed_artifact *a, uint32_t i, honed_context *ctx) {
  const honed_file_value *v = &a->values[i];
  if (!is_dtype(v->dtype) || v->dtype == HONED_U16) return FAIL(ctx, "value %" PRIu32 " has the dtype %d", i, v->dtype);
  if (v->layout != HONED_DENSE && v->layout != HONED_PLANAR) return FAIL(ctx, "value %" PRIu32 " has the layout %d", i, v->layout);
  const uint32_t gap_bound = v->layout == HONED_PLANAR ? max_gap : 0;
  if (v->gap_rows > gap_bound || v->gap_cols > gap_bound) {
    return FAIL(ctx, "value %" PRIu32 " has gaps of %" PRIu32 " x %" PRIu32 ", expected at most %" PRIu32, i, v->gap_rows, v->gap_cols,
                gap_bound);
  }
  if (v->zero_point != 0 && v->dtype != HONED_U8) return FAIL(ctx, "value %" PRIu32 " has a zero point and is not u8", i);
  if (v->layout == HONED_PLANAR && v->rank != 4 && v->rank != HONED_RANK_UNKNOWN) {
    return FAIL(ctx, "value %" PRIu32 " is planar and has rank %d, expected 4", i, v->rank);
  }
  return HONED_OK;
}

/* A value's record, and that a constant agrees with the constant's. `dims` are the value's. */
static honed_status check_value(const honed_artifact *a, uint32_t i, const honed_file_dim *dims, honed_context *ctx) {
  const honed_file_value *v = &a->values[i];
  if (!is_string(a, v->name) || v->name == 0) return FAIL(ctx, "value %" PRIu32 " has no name", i);
  if (v->reserved != 0) return FAIL(ctx, "value %" PRIu32 " has a reserved field that is not 0", i);
  const honed_status status = check_layout(a, i, ctx);
  if (status != HONED_OK || v->constant == HONED_FILE_NONE) return status;
  if (v->constant >= a->num_constants) {
    return FAIL(ctx, "value %" PRIu32 " is constant %" PRIu32 " of %" PRIu32, i, v->constant, a->num_constants);
  }
  const honed_file_constant *c = &a->constants[v->constant];
  bool same = v->layout == HONED_DENSE && v->dtype == c->dtype && v->rank == c->rank;
  for (uint32_t axis = 0; same && axis < c->rank; axis++) same = dims[axis].size == c->dims[axis];
  return same ? HONED_OK : FAIL(ctx, "value %" PRIu32 " and its constant differ in layout, dtype or shape", i);
}

static honed_status check_values(const honed_artifact *a, honed_context *ctx) {
  uint32_t dim = 0;
  for (uint32_t i = 0; i < a->num_values; i++) {
    const bool known = a->values[i].rank != HONED_RANK_UNKNOWN;
    honed_status status = known ? check_dims(a, i, dim, ctx) : HONED_OK;
    if (status == HONED_OK) status = check_value(a, i, a->dims + dim, ctx);
    if (status != HONED_OK) return status;
    if (known) dim += a->values[i].rank;
  }
  return dim == a->num_dims ? HONED_OK : FAIL(ctx, "section dims has %" PRIu32 " records, expected %" PRIu32, a->num_dims, dim);
}

/* Inputs or outputs of the graph: values that are dense and of known rank, each with a name that no other has. */
static honed_status check_border(const honed_artifact *a, const uint32_t *list, uint32_t count, const char *what, honed_context *ctx) {
  if (count > max_border) return FAIL(ctx, "%" PRIu32 " graph %ss, expected at most %d", count, what, max_border);
  for (uint32_t i = 0; i < count; i++) {
    if (list[i] >= a->num_values)
      return FAIL(ctx, "graph %s %" PRIu32 " is value %" PRIu32 " of %" PRIu32, what, i, list[i], a->num_values);
    const honed_file_value *v = &a->values[list[i]];
    if (v->layout != HONED_DENSE || v->rank == HONED_RANK_UNKNOWN) {
      return FAIL(ctx, "graph %s %" PRIu32 " is not dense or of unknown rank", what, i);
    }
    for (uint32_t j = 0; j < i; j++) {
      if (strcmp(a->strings + a->values[list[j]].name, a->strings + v->name) == 0) {
        return FAIL(ctx, "graph %ss %" PRIu32 " and %" PRIu32 " have the same name", what, j, i);
      }
    }
  }
  return HONED_OK;
}

static honed_status check_inputs_of_op(cursor *c, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t value = c->a->operands[c->operand++];
    if (value == HONED_FILE_NONE) continue;
    if (value >= c->a->num_values || !c->defined[value]) {
      return FAIL(c->ctx, "operator %" PRIu32 " reads value %" PRIu32 ", which nothing before it defines", c->op, value);
    }
  }
  return HONED_OK;
}

static honed_status check_outputs_of_op(cursor *c, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t value = c->a->operands[c->operand++];
    if (value >= c->a->num_values || c->defined[value]) {
      return FAIL(c->ctx, "operator %" PRIu32 " writes value %" PRIu32 ", which is defined already or does not exist", c->op, value);
    }
    c->defined[value] = true;
  }
  return HONED_OK;
}

static honed_status check_consts_of_op(cursor *c, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t constant = c->a->operands[c->operand++];
    if (constant >= c->a->num_constants) {
      return FAIL(c->ctx, "operator %" PRIu32 " has constant %" PRIu32 " of %" PRIu32, c->op, constant, c->a->num_constants);
    }
  }
  return HONED_OK;
}

static honed_status check_attrs_of_op(cursor *c, uint32_t count) {
  const honed_artifact *a = c->a;
  const honed_file_attr *attrs = a->attrs + c->attr;
  c->attr += count;
  for (uint32_t i = 0; i < count; i++) {
    if (!is_string(a, attrs[i].name) || attrs[i].kind > HONED_ATTR_FLOAT) {
      return FAIL(c->ctx, "operator %" PRIu32 " has an attribute without a name or of kind %" PRIu32, c->op, attrs[i].kind);
    }
    for (uint32_t j = 0; j < i; j++) {
      if (strcmp(a->strings + attrs[i].name, a->strings + attrs[j].name) == 0) {
        return FAIL(c->ctx, "operator %" PRIu32 " has the attribute %.100s twice", c->op, a->strings + attrs[i].name);
      }
    }
  }
  return HONED_OK;
}

static honed_status check_op(cursor *c) {
  const honed_artifact *a = c->a;
  const honed_file_op *op = &a->ops[c->op];
  if (!is_string(a, op->type) || !is_string(a, op->name)) return FAIL(c->ctx, "operator %" PRIu32 " has no type or no name", c->op);
  if (op->num_inputs > max_operands || op->num_outputs > max_operands || op->num_outputs == 0 || op->num_consts > max_operands ||
      op->num_attrs > max_operands) {
    return FAIL(c->ctx,
                "operator %" PRIu32 " has %" PRIu32 " inputs, %" PRIu32 " outputs, %" PRIu32 " constants, %" PRIu32
                " attributes, expected 1 output or more, and at most %d of each",
                c->op, op->num_inputs, op->num_outputs, op->num_consts, op->num_attrs, max_operands);
  }
  if (op->num_inputs + op->num_outputs + op->num_consts > a->num_operands - c->operand || op->num_attrs > a->num_attrs - c->attr) {
    return FAIL(c->ctx, "operator %" PRIu32 ": section operands or attributes ends too early", c->op);
  }
  honed_status status = check_inputs_of_op(c, op->num_inputs);
  if (status == HONED_OK) status = check_outputs_of_op(c, op->num_outputs);
  if (status == HONED_OK) status = check_consts_of_op(c, op->num_consts);
  if (status == HONED_OK) status = check_attrs_of_op(c, op->num_attrs);
  return status;
}

/* Inputs and constants are defined before the first operator; all outputs of the graph, and all other values, after the last. */
static honed_status check_order(cursor *c) {
  const honed_artifact *a = c->a;
  for (uint32_t i = 0; i < a->num_values; i++) c->defined[i] = a->values[i].constant != HONED_FILE_NONE;
  for (uint32_t i = 0; i < a->num_inputs; i++) {
    if (c->defined[a->inputs[i]]) return FAIL(c->ctx, "graph input %" PRIu32 " is a constant or another input", i);
    c->defined[a->inputs[i]] = true;
  }
  for (; c->op < a->num_ops; c->op++) {
    const honed_status status = check_op(c);
    if (status != HONED_OK) return status;
  }
  for (uint32_t i = 0; i < a->num_values; i++) {
    if (!c->defined[i]) return FAIL(c->ctx, "value %" PRIu32 " is written by no operator", i);
  }
  if (c->operand == a->num_operands && c->attr == a->num_attrs) return HONED_OK;
  return FAIL(c->ctx, "%" PRIu32 " operands and %" PRIu32 " attributes belong to no operator", a->num_operands - c->operand,
              a->num_attrs - c->attr);
}

honed_status honed_artifact_validate(const honed_artifact *a, honed_context *ctx) {
  honed_status status = check_strings(a, ctx);
  if (status == HONED_OK) status = check_constants(a, ctx);
  if (status == HONED_OK) status = check_values(a, ctx);
  if (status == HONED_OK) status = check_border(a, a->inputs, a->num_inputs, "input", ctx);
  if (status == HONED_OK) status = check_border(a, a->outputs, a->num_outputs, "output", ctx);
  if (status != HONED_OK) return status;
  cursor c = {.a = a, .ctx = ctx, .defined = calloc((size_t)a->num_values + 1, sizeof(bool))};
  if (c.defined == NULL) return honed_fail(ctx, HONED_OUT_OF_MEMORY, "no memory for %" PRIu32 " values", a->num_values);
  status = check_order(&c);
  free(c.defined);
  return status;
}
