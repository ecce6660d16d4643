# cython: language_level=3, boundscheck=False, wraparound=False
"""The runtime, by way of its C API: engines, models and sessions as honed.h describes them.

`session.py` makes of them what users see. A session may be used by one thread at a time; everything else by several.
"""
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport int64_t, uint32_t, uint64_t

import os

import numpy as np

cimport numpy as cnp

from .graph.errors import ArtifactError, Error, ModelError, ShapeError

cnp.import_array()

cdef extern from "honed.h":
    uint32_t HONED_ABI_VERSION
    const char *honed_version()
    uint32_t honed_abi_version()
    ctypedef enum honed_error_code:
        HONED_ERROR_INVALID_ARGUMENT
        HONED_ERROR_INVALID_SHAPE
        HONED_ERROR_INVALID_ARTIFACT
        HONED_ERROR_UNSUPPORTED
        HONED_ERROR_OUT_OF_MEMORY
        HONED_ERROR_IO
    ctypedef struct honed_error
    honed_error_code honed_error_get_code(const honed_error *error)
    const char *honed_error_message(const honed_error *error)
    void honed_error_delete(honed_error *error)

    ctypedef struct honed_engine
    ctypedef struct honed_engine_options:
        size_t struct_size
        size_t num_threads
    honed_error *honed_engine_new(const honed_engine_options *options, honed_engine **out) nogil
    void honed_engine_delete(honed_engine *engine) nogil
    size_t honed_engine_num_threads(const honed_engine *engine)
    const char *honed_engine_isa(const honed_engine *engine)

    ctypedef struct honed_model
    ctypedef struct honed_value
    ctypedef int honed_element_type
    ctypedef struct honed_shape:
        size_t rank
        int64_t dims[8]
    honed_error *honed_model_load_file(const honed_engine *engine, const char *path, honed_model **out) nogil
    honed_error *honed_model_load_bytes(const honed_engine *engine, const void *bytes, size_t size, honed_model **out) nogil
    honed_error *honed_model_load_borrowed(const honed_engine *engine, const void *bytes, size_t size, honed_model **out) nogil
    void honed_model_delete(honed_model *model) nogil
    size_t honed_model_num_inputs(const honed_model *model)
    size_t honed_model_num_outputs(const honed_model *model)
    const honed_value *honed_model_input(const honed_model *model, size_t index)
    const honed_value *honed_model_output(const honed_model *model, size_t index)
    const char *honed_value_name(const honed_value *value)
    honed_element_type honed_value_type(const honed_value *value)
    honed_shape honed_value_shape(const honed_value *value)
    const char *honed_value_symbol(const honed_value *value, size_t axis)
    size_t honed_model_num_ops(const honed_model *model)
    const char *honed_model_op_name(const honed_model *model, size_t index)
    const char *honed_model_op_type(const honed_model *model, size_t index)
    const char *honed_model_op_kernel(const honed_model *model, size_t index)

    ctypedef struct honed_session
    ctypedef struct honed_session_options:
        size_t struct_size
        size_t num_threads
    ctypedef struct honed_input:
        const void *data
        size_t bytes
    ctypedef struct honed_output:
        void *data
        size_t bytes
    honed_error *honed_session_new(const honed_model *model, const honed_session_options *options, honed_session **out) nogil
    void honed_session_delete(honed_session *session) nogil
    honed_error *honed_session_reshape(honed_session *session, const honed_shape *shapes, size_t num_inputs) nogil
    honed_error *honed_session_output_shape(const honed_session *session, size_t index, honed_shape *out)
    honed_error *honed_session_run(honed_session *session, const honed_input *inputs, size_t num_inputs,
                                   const honed_output *outputs, size_t num_outputs) nogil
    size_t honed_session_num_threads(const honed_session *session)
    size_t honed_session_memory_bytes(const honed_session *session)
    void honed_session_profile(honed_session *session, int enabled)
    uint64_t honed_session_profile_runs(const honed_session *session)
    double honed_session_profile_seconds(const honed_session *session, size_t op)
    int64_t honed_session_op_tasks(const honed_session *session, size_t op)

if honed_abi_version() != HONED_ABI_VERSION:
    raise ImportError(f"libhoned has ABI version {honed_abi_version()}, this module was built for {HONED_ABI_VERSION}")

_ERRORS = {
    HONED_ERROR_INVALID_ARGUMENT: Error,
    HONED_ERROR_INVALID_SHAPE: ShapeError,
    HONED_ERROR_INVALID_ARTIFACT: ArtifactError,
    HONED_ERROR_UNSUPPORTED: ModelError,
    HONED_ERROR_OUT_OF_MEMORY: MemoryError,
    HONED_ERROR_IO: OSError,
}
# By honed_element_type. HONED_ELEMENT_BOOL is one byte, as NumPy's.
_DTYPES = {1: np.dtype(np.float32), 2: np.dtype(np.uint8), 3: np.dtype(np.int8), 4: np.dtype(np.int32), 5: np.dtype(np.int64),
           6: np.dtype(np.bool_), 8: np.dtype(np.float64)}


cdef int _check(honed_error *error) except -1:
    if error == NULL:
        return 0
    exception = _ERRORS[<int>honed_error_get_code(error)](honed_error_message(error).decode(errors="replace"))
    honed_error_delete(error)
    raise exception


def version() -> str:
    """The version of the C library."""
    return honed_version().decode()


cdef class Engine:
    """The threads that sessions share, and the instruction sets that they may use.

    threads: how many; None for the CPUs that this process may use (by affinity and control group). The environment variable
    HONED_ISA, read now, bounds the instruction sets.
    """
    cdef honed_engine *engine

    def __cinit__(self, threads=None):
        cdef honed_engine_options options
        if threads is not None and not 1 <= threads <= 1024:
            raise Error(f"threads is {threads}, expected 1 to 1024")
        options.struct_size = sizeof(options)
        options.num_threads = 0 if threads is None else threads
        _check(honed_engine_new(&options, &self.engine))

    def __dealloc__(self):
        with nogil:
            honed_engine_delete(self.engine)

    @property
    def threads(self) -> int:
        return honed_engine_num_threads(self.engine)

    @property
    def isa(self) -> str:
        """scalar, avx2, avx512 or avx512vnni."""
        return honed_engine_isa(self.engine).decode()


cdef _shape(const honed_shape *shape):
    return tuple(shape.dims[i] for i in range(shape.rank))


cdef _text(const char *text):
    return text.decode(errors="replace") if text != NULL else None


cdef _describe(const honed_value *value):
    """(name, NumPy dtype, shape): sizes, names of sizes, or None."""
    cdef honed_shape shape = honed_value_shape(value)
    dims = [shape.dims[i] if shape.dims[i] >= 0 else _text(honed_value_symbol(value, i)) for i in range(shape.rank)]
    return _text(honed_value_name(value)), _DTYPES[<int>honed_value_type(value)], tuple(dims)


cdef class Model:
    """A compiled model, from the path of a .honed file or from its bytes, which are used in place where they are an aligned read-only
    memoryview, and copied otherwise.

    inputs and outputs: a list of (name, NumPy dtype, shape). ops: a list of (name, type, kernel).
    """
    cdef honed_model *model
    cdef readonly Engine engine
    cdef readonly list inputs, outputs, ops
    cdef const unsigned char[::1] borrowed

    def __cinit__(self, source, Engine engine not None):
        cdef const unsigned char[::1] content
        cdef const void *data
        cdef size_t size
        cdef const char *path
        self.engine = engine
        if isinstance(source, (str, os.PathLike)):
            encoded = os.fsencode(source)
            if b"\0" in encoded:
                raise Error(f"path {source!r} contains a zero byte")
            path = encoded
            with nogil:
                error = honed_model_load_file(engine.engine, path, &self.model)
        else:
            content = source
            data = &content[0] if content.shape[0] > 0 else NULL
            size = content.shape[0]
            if isinstance(source, memoryview) and source.readonly and <size_t>data % 64 == 0:
                self.borrowed = content
                with nogil:
                    error = honed_model_load_borrowed(engine.engine, data, size, &self.model)
            else:
                with nogil:
                    error = honed_model_load_bytes(engine.engine, data, size, &self.model)
        _check(error)
        self.inputs = [_describe(honed_model_input(self.model, i)) for i in range(honed_model_num_inputs(self.model))]
        self.outputs = [_describe(honed_model_output(self.model, i)) for i in range(honed_model_num_outputs(self.model))]
        self.ops = [(_text(honed_model_op_name(self.model, i)), _text(honed_model_op_type(self.model, i)),
                     _text(honed_model_op_kernel(self.model, i))) for i in range(honed_model_num_ops(self.model))]

    def __dealloc__(self):
        with nogil:
            honed_model_delete(self.model)


cdef class Session:
    """Runs a model. threads: at most so many; None for all of the engine's."""
    cdef honed_session *session
    cdef readonly Model model
    cdef readonly tuple shapes
    cdef honed_shape *input_shapes
    cdef honed_input *inputs
    cdef honed_output *outputs

    def __cinit__(self, Model model not None, threads=None):
        cdef honed_session_options options
        self.model = model
        self.shapes = ()
        # One more than there are: an allocation of nothing may be NULL.
        self.input_shapes = <honed_shape *>PyMem_Calloc(len(model.inputs) + 1, sizeof(honed_shape))
        self.inputs = <honed_input *>PyMem_Calloc(len(model.inputs) + 1, sizeof(honed_input))
        self.outputs = <honed_output *>PyMem_Calloc(len(model.outputs) + 1, sizeof(honed_output))
        if self.input_shapes == NULL or self.inputs == NULL or self.outputs == NULL:
            raise MemoryError
        options.struct_size = sizeof(options)
        options.num_threads = 0 if threads is None else threads
        with nogil:
            error = honed_session_new(model.model, &options, &self.session)
        _check(error)

    def __dealloc__(self):
        with nogil:
            honed_session_delete(self.session)
        PyMem_Free(self.input_shapes)
        PyMem_Free(self.inputs)
        PyMem_Free(self.outputs)

    @property
    def threads(self) -> int:
        return honed_session_num_threads(self.session)

    @property
    def memory_bytes(self) -> int:
        """Of activations and scratch, at the current shapes."""
        return honed_session_memory_bytes(self.session)

    def reshape(self, tuple shapes) -> None:
        """Sets the shapes of all inputs. Raises ShapeError where the model does not accept them."""
        cdef size_t count = len(self.model.inputs)
        assert len(shapes) == count
        for i, shape in enumerate(shapes):
            if len(shape) > 8:
                raise ShapeError(f"input {self.model.inputs[i][0]} has rank {len(shape)}, expected at most 8")
            self.input_shapes[i].rank = len(shape)
            for axis, size in enumerate(shape):
                self.input_shapes[i].dims[axis] = size
        with nogil:
            error = honed_session_reshape(self.session, self.input_shapes, count)
        _check(error)
        self.shapes = shapes

    def run(self, list arrays) -> list:
        """Runs at the shapes of `arrays`: one per input, C-contiguous, aligned, of the input's dtype. Returns all outputs."""
        cdef size_t num_inputs = len(self.model.inputs), num_outputs = len(self.model.outputs)
        cdef honed_shape shape
        self.reshape(tuple([array.shape for array in arrays]))
        for i, array in enumerate(arrays):
            self.inputs[i].data = cnp.PyArray_DATA(array)
            self.inputs[i].bytes = array.nbytes
        results = []
        for i in range(num_outputs):
            _check(honed_session_output_shape(self.session, i, &shape))
            result = np.empty(_shape(&shape), self.model.outputs[i][1])
            self.outputs[i].data = cnp.PyArray_DATA(result)
            self.outputs[i].bytes = result.nbytes
            results.append(result)
        with nogil:
            error = honed_session_run(self.session, self.inputs, num_inputs, self.outputs, num_outputs)
        _check(error)
        return results

    def profile(self, bint enabled) -> None:
        """Starts, from zero, or stops the measurement of each operator's time."""
        honed_session_profile(self.session, enabled)

    def profile_seconds(self) -> list:
        """Mean seconds per run of each operator, since the measurement was started."""
        runs = max(honed_session_profile_runs(self.session), 1)
        return [honed_session_profile_seconds(self.session, i) / runs for i in range(len(self.model.ops))]

    def tasks(self) -> list:
        """The pieces into which each operator's work is split at the current shapes; 0 for a view, and before there are shapes."""
        return [honed_session_op_tasks(self.session, i) for i in range(len(self.model.ops))]
