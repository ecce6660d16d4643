# cython: language_level=3, boundscheck=False, wraparound=False
"""Every operator and every kernel variant, one at a time, for tests and benchmarks.

An operator is created with the instruction sets that it may use, shaped by its inputs, and run by task ranges, as the runtime
does it; inputs and outputs are NumPy arrays in ONNX's layout, whatever layout the operator works in.
"""
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

import time
from dataclasses import dataclass

import numpy as np

cimport cython


cdef extern from "base/status.h":
    ctypedef enum honed_status:
        HONED_OK
    ctypedef struct honed_context:
        char message[512]

cdef extern from "base/cpu.h":
    ctypedef uint32_t honed_isa
    enum:
        HONED_ISA_AVX512BF16
        HONED_ISA_AVX512VBMI
        HONED_ISA_CODE
    honed_isa honed_isa_detected()
    honed_status honed_isa_parse(const char *name, honed_isa *out, honed_context *ctx)
    const char *honed_isa_name(honed_isa isa)

cdef extern from "base/memory.h":
    ctypedef struct honed_arena:
        void *first
    void honed_arena_clear(honed_arena *arena)
    bint honed_arena_seal_code(honed_arena *arena)
    void *honed_aligned_alloc(size_t size)
    void honed_memory_trim() nogil

cdef extern from "base/crc32c.h":
    uint32_t honed_crc32c_extend(uint32_t before, const void *data, size_t size) nogil

cdef extern from "base/tensor.h":
    enum: HONED_MAX_RANK, HONED_OVERREAD
    ctypedef enum honed_dtype:
        pass
    ctypedef enum honed_layout:
        HONED_DENSE, HONED_PLANAR
    ctypedef struct honed_tensor:
        honed_dtype dtype
        honed_layout layout
        int32_t rank, gap_rows, gap_cols
        uint8_t zero_point
        int64_t dims[8]
        int64_t row_stride, plane_stride, image_stride
        void *data
    size_t honed_dtype_bytes(honed_dtype)
    honed_status honed_tensor_reshape(honed_tensor *t, int rank, const int64_t *dims, honed_context *ctx)
    int64_t honed_tensor_count(const honed_tensor *t)
    int64_t honed_planar_lead(const honed_tensor *t)
    size_t honed_tensor_buffer_bytes(const honed_tensor *t)
    size_t honed_tensor_data_offset(const honed_tensor *t)
    void honed_planar_fill_lead(honed_tensor *t)
    bint honed_tensor_same_places(const honed_tensor *a, const honed_tensor *b)

cdef extern from "base/operator.h":
    ctypedef struct honed_attr:
        const char *name
        bint is_float
        int64_t i
        double f
    ctypedef struct honed_op_spec:
        const honed_attr *attrs
        int num_attrs
        const honed_tensor *const *inputs
        int num_inputs
        const honed_tensor *const *outputs
        int num_outputs
        const honed_tensor *consts
        int num_consts
        honed_isa isa
    ctypedef struct honed_call
    ctypedef void (*honed_kernel)(const honed_call *call, void *scratch, int64_t begin, int64_t end) noexcept nogil
    ctypedef struct honed_call:
        const void *params
        const honed_tensor **inputs
        honed_tensor **outputs
        int num_inputs, num_outputs
        honed_status (*make_plan)(honed_call *call, honed_context *ctx)
        honed_kernel kernel
        int64_t num_tasks
        size_t scratch_bytes
        void *plan
        honed_arena *allocator
    ctypedef struct honed_op_type:
        const char *name
        honed_status (*create)(const honed_op_spec *spec, void **params, honed_context *ctx)
        void (*destroy)(void *params)
        honed_status (*reshape)(honed_call *call, honed_context *ctx)
        const char *(*kernel_name)(const void *params)
        unsigned flags
    enum: HONED_OP_VIEW, HONED_OP_OVER_FIRST, HONED_OP_OVER_SECOND
    const honed_op_type *const *honed_op_types()
    const honed_op_type *honed_op_type_find(const char *name)


class KernelError(Exception):
    """What an operator's create or reshape refused, or a kernel that wrote where it must not."""


@dataclass(frozen=True)
class TensorSpec:
    """What a model says of a tensor before shapes are known. dtype: f32, u8, s8, s32, s64, bool, u16 or f64."""

    dtype: str = "f32"
    planar: bool = False
    gap_rows: int = 0
    gap_cols: int = 0
    zero_point: int = 0


_CODES = {"f32": 1, "u8": 2, "s8": 3, "s32": 4, "s64": 5, "bool": 6, "u16": 7, "f64": 8}
_NUMPY = {"f32": np.float32, "u8": np.uint8, "s8": np.int8, "s32": np.int32, "s64": np.int64, "bool": np.bool_, "u16": np.uint16,
          "f64": np.float64}
_NAMES = {np.dtype(v): k for k, v in _NUMPY.items()}


def trim_memory() -> None:
    """Gives the system back what was freed."""
    honed_memory_trim()


def crc32c(const unsigned char[::1] data, uint32_t before=0) -> int:
    """CRC-32C (Castagnoli) of contiguous bytes; before: that of what comes before them."""
    return honed_crc32c_extend(before, &data[0] if data.shape[0] > 0 else NULL, data.shape[0])


def operator_types() -> list[str]:
    """Names of all operator types of the runtime."""
    cdef const honed_op_type *const *t = honed_op_types()
    names = []
    while t[0] != NULL:
        names.append(t[0].name.decode())
        t += 1
    return names


def isa_levels() -> list[str]:
    """The instruction-set levels that this machine can run, lowest first."""
    order = ["scalar", "avx2", "avx512", "avx512vnni"]
    return order[: order.index(honed_isa_name(honed_isa_detected()).decode()) + 1]


def has_bf16() -> bool:
    """Whether this machine multiplies bfloat16 by instructions of its own. They belong to the highest level."""
    return (honed_isa_detected() & HONED_ISA_AVX512BF16) != 0


def has_vbmi() -> bool:
    """Whether this machine looks bytes up in tables of two registers. Those instructions belong to the highest level, too."""
    return (honed_isa_detected() & HONED_ISA_AVX512VBMI) != 0


def has_code() -> bool:
    """Whether the top level includes kernels that are written at run time."""
    return (honed_isa_detected() & HONED_ISA_CODE) != 0


cdef honed_isa _isa(name) except? 0xFFFFFFFF:
    cdef honed_context ctx
    cdef honed_isa level
    if name is None:
        return honed_isa_detected()
    if honed_isa_parse(name.encode(), &level, &ctx) != HONED_OK:
        raise KernelError(ctx.message.decode())
    return level & honed_isa_detected()


cdef enum:
    SCRATCH_CANARY = 4096


cdef class _Tensor:
    """A tensor with a guarded buffer of its own."""
    cdef honed_tensor t
    cdef char *buffer
    cdef size_t buffer_bytes
    cdef object numpy_dtype

    def __cinit__(self, spec):
        memset(&self.t, 0, sizeof(self.t))
        self.buffer = NULL
        self.t.dtype = <honed_dtype><int>_CODES[spec.dtype]
        self.t.layout = HONED_PLANAR if spec.planar else HONED_DENSE
        self.t.gap_rows, self.t.gap_cols = spec.gap_rows, spec.gap_cols
        self.t.zero_point = spec.zero_point
        self.numpy_dtype = np.dtype(_NUMPY[spec.dtype])

    def __dealloc__(self):
        free(self.buffer)

    cdef int allocate(self) except -1:
        free(self.buffer)
        self.buffer_bytes = honed_tensor_buffer_bytes(&self.t)
        self.buffer = <char *>honed_aligned_alloc(self.buffer_bytes)
        if self.buffer == NULL:
            raise MemoryError
        memset(self.buffer, 0xA5, self.buffer_bytes)
        self.t.data = self.buffer + honed_tensor_data_offset(&self.t)
        if self.t.layout == HONED_PLANAR:
            honed_planar_fill_lead(&self.t)
        return 0

    cdef object elements(self):
        """The whole buffer as a 1-D array of elements that shares its memory."""
        return np.asarray(<uint8_t[:max(self.buffer_bytes, 1)]><uint8_t *>self.buffer)[: self.buffer_bytes].view(self.numpy_dtype)

    cdef object planes(self):
        """Planar: (N, C, plane_stride), sharing the memory."""
        start = honed_planar_lead(&self.t) + HONED_OVERREAD
        n, c = self.t.dims[0], self.t.dims[1]
        return self.elements()[start: start + n * c * self.t.plane_stride].reshape(n, c, self.t.plane_stride)

    cdef object pixels(self, planes):
        h, w, stride = self.t.dims[2], self.t.dims[3], self.t.row_stride
        index = np.arange(h)[:, None] * stride + np.arange(w)[None, :]
        return index

    def load(self, array):
        array = np.asarray(array, order="C")  # unlike ascontiguousarray, leaves rank 0 alone
        cdef honed_context ctx
        cdef int64_t dims[8]
        if array.dtype != self.numpy_dtype:
            raise KernelError(f"input is {array.dtype}, expected {self.numpy_dtype}")
        for i in range(array.ndim):
            dims[i] = array.shape[i]
        if honed_tensor_reshape(&self.t, array.ndim, dims, &ctx) != HONED_OK:
            raise KernelError(ctx.message.decode())
        self.allocate()
        if self.t.layout == HONED_PLANAR:
            planes = self.planes()
            planes[:] = self.t.zero_point if self.numpy_dtype == np.uint8 else 0
            planes[:, :, self.pixels(planes)] = array
        else:
            self.elements()[:] = array.reshape(-1)

    def store(self):
        shape = tuple(self.t.dims[i] for i in range(self.t.rank))
        if self.t.layout == HONED_DENSE:
            return self.elements().reshape(shape).copy()
        planes = self.planes()
        index = self.pixels(planes)
        fill = self.t.zero_point if self.numpy_dtype == np.uint8 else 0
        gaps = np.ones(planes.shape[2], bool)
        gaps[index.reshape(-1)] = False
        if not (planes[:, :, gaps] == fill).all():
            raise KernelError(f"a gap does not hold the fill value {fill}")
        outside = np.concatenate([self.elements()[:HONED_OVERREAD].view(np.uint8), self.elements()[-HONED_OVERREAD:].view(np.uint8)])
        if not (outside == 0xA5).all():
            raise KernelError("the kernel wrote outside its output")
        return planes[:, :, index].reshape(shape)


cdef class Operator:
    """One operator of the runtime.

    attrs: name -> int or float. consts: arrays. inputs and outputs: a TensorSpec each, None for an optional input left out.
    isa: the highest level that may be used ("scalar", "avx2", "avx512", "avx512vnni"); None for all that the machine has.
    Raises KernelError when the operator refuses them.
    """
    cdef const honed_op_type *type
    cdef void *params
    cdef list input_specs, output_specs, consts, inputs, outputs, _names
    cdef honed_arena arena
    cdef honed_call call
    cdef void *scratch
    cdef const honed_tensor *ins[64]
    cdef honed_tensor *outs[64]

    def __cinit__(self, name, inputs, outputs, attrs=None, consts=(), isa=None):
        cdef honed_context ctx
        cdef honed_op_spec spec
        cdef const honed_tensor *ins[64]
        cdef const honed_tensor *outs[64]
        cdef honed_attr attr_list[64]
        cdef honed_tensor const_list[64]
        cdef _Tensor t
        self.params = NULL
        self.scratch = NULL
        self.arena.first = NULL
        memset(&self.call, 0, sizeof(self.call))
        memset(&spec, 0, sizeof(spec))
        ctx.message[0] = 0
        self.type = honed_op_type_find(name.encode())
        if self.type == NULL:
            raise KernelError(f"no operator {name!r}: expected one of {', '.join(operator_types())}")
        self.input_specs, self.output_specs = list(inputs), list(outputs)
        self.inputs = [None if s is None else _Tensor(s) for s in inputs]
        self.outputs = [_Tensor(s) for s in outputs]
        self._names = []
        for i, (key, value) in enumerate((attrs or {}).items()):
            self._names.append(key.encode())
            attr_list[i].name = self._names[i]
            attr_list[i].is_float = isinstance(value, float)
            attr_list[i].i = 0 if isinstance(value, float) else value
            attr_list[i].f = value if isinstance(value, float) else 0.0
        spec.attrs, spec.num_attrs = attr_list, len(self._names)
        self.consts = []
        for i, array in enumerate(consts):
            array = np.asarray(array, order="C")  # unlike ascontiguousarray, leaves rank 0 alone
            t = _Tensor(TensorSpec(_NAMES[array.dtype]))
            t.load(array)
            self.consts.append(t)
            const_list[i] = t.t
        spec.consts, spec.num_consts = const_list, len(self.consts)
        for i, t in enumerate(self.inputs):
            ins[i] = NULL if t is None else &t.t
        for i, t in enumerate(self.outputs):
            outs[i] = &t.t
        spec.inputs, spec.num_inputs = ins, len(self.inputs)
        spec.outputs, spec.num_outputs = outs, len(self.outputs)
        spec.isa = _isa(isa)
        if self.type.create(&spec, &self.params, &ctx) != HONED_OK:
            self.params = NULL
            raise KernelError(ctx.message.decode())

    def __dealloc__(self):
        honed_arena_clear(&self.arena)
        free(self.scratch)
        if self.params != NULL:
            self.type.destroy(self.params)

    @property
    def kernel_name(self) -> str:
        return self.type.kernel_name(self.params).decode()

    @property
    def num_tasks(self) -> int:
        """Of the last run."""
        return self.call.num_tasks

    cdef int prepare(self, arrays) except -1:
        cdef honed_context ctx
        cdef _Tensor t
        ctx.message[0] = 0
        for i, array in enumerate(arrays):
            t = self.inputs[i]
            if t is not None:
                t.load(array)
                self.ins[i] = &t.t
            else:
                self.ins[i] = NULL
        for i, t in enumerate(self.outputs):
            self.outs[i] = &t.t
        honed_arena_clear(&self.arena)
        self.call.params = self.params
        self.call.inputs, self.call.num_inputs = self.ins, len(self.inputs)
        self.call.outputs, self.call.num_outputs = self.outs, len(self.outputs)
        self.call.allocator = &self.arena
        if self.type.reshape(&self.call, &ctx) != HONED_OK or (
            self.call.make_plan != NULL and self.call.make_plan(&self.call, &ctx) != HONED_OK
        ):
            raise KernelError(ctx.message.decode())
        if not honed_arena_seal_code(&self.arena):
            raise KernelError("the system does not make code executable")
        for t in self.outputs:
            t.allocate()
        free(self.scratch)
        self.scratch = honed_aligned_alloc(self.call.scratch_bytes + SCRATCH_CANARY)
        memset(self.scratch, 0xA5, self.call.scratch_bytes + SCRATCH_CANARY)
        return 0

    def run(self, arrays, splits=1):
        """Runs on `arrays` (None for an input left out), the tasks in `splits` ranges, the last range first. Returns the outputs.

        Raises KernelError if a gap of an output does not hold its fill value, the kernel wrote outside its output or its scratch, or it
        gives something else where its output lies over an input, though its type says that it may.
        """
        cdef _Tensor t, source
        if len(arrays) != len(self.inputs):
            raise KernelError(f"{len(arrays)} inputs, expected {len(self.inputs)}")
        self.prepare(arrays)
        if self.type.flags & HONED_OP_VIEW:
            t, source = self.outputs[0], self.inputs[0]
            memcpy(t.t.data, source.t.data, honed_tensor_buffer_bytes(&t.t))
        else:
            self.run_tasks(splits)
        results = [o.store() for o in self.outputs]
        if self.type.flags & HONED_OP_OVER_FIRST:
            self.check_over(0, results[0], splits)
        if self.type.flags & HONED_OP_OVER_SECOND and len(self.inputs) > 1:
            self.check_over(1, results[0], splits)
        return results

    cdef int run_tasks(self, splits) except -1:
        bounds = [self.call.num_tasks * i // splits for i in range(splits + 1)]
        for i in reversed(range(splits)):
            if bounds[i] < bounds[i + 1]:
                self.call.kernel(&self.call, self.scratch, bounds[i], bounds[i + 1])
        return self.check_scratch()

    cdef int check_over(self, int index, expected, splits) except -1:
        """Where output 0 may lie over the input, runs once more with one memory for both: that of the output."""
        cdef _Tensor t = self.outputs[0], source = self.inputs[index]
        cdef void *data
        if source is None or not honed_tensor_same_places(&source.t, &t.t):
            return 0
        t.allocate()
        count = honed_tensor_count(&t.t) if t.t.layout == HONED_DENSE else t.t.dims[0] * t.t.image_stride
        memcpy(t.t.data, source.t.data, count * honed_dtype_bytes(t.t.dtype))
        data, source.t.data = source.t.data, t.t.data
        try:
            self.run_tasks(splits)
        finally:
            source.t.data = data
        if t.store().tobytes() != expected.tobytes():
            raise KernelError(f"gives something else over its input {index}")
        return 0

    cdef int check_scratch(self) except -1:
        cdef const uint8_t *behind = <const uint8_t *>self.scratch + self.call.scratch_bytes
        for i in range(SCRATCH_CANARY):
            if behind[i] != 0xA5:
                raise KernelError(f"wrote byte {i} behind {self.call.scratch_bytes} bytes of scratch")
        return 0

    def again(self):
        """Runs once more on the arrays of the last run, on one thread: the kernel alone."""
        if self.call.kernel == NULL:
            raise KernelError("nothing was run yet")
        self.call.kernel(&self.call, self.scratch, 0, self.call.num_tasks)

    def time(self, arrays, double seconds=0.2):
        """Runs on `arrays` again and again for about `seconds`, on one thread. Returns the list of seconds per run."""
        self.prepare(arrays)
        times = []
        end = time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            start = time.perf_counter()
            self.again()
            times.append(time.perf_counter() - start)
        return times
