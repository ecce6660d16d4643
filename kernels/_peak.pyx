# cython: language_level=3, boundscheck=False, wraparound=False
"""The measured limits of one core: kernels/peak/peak.h."""
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

import time

cdef extern from "base/status.h":
    ctypedef enum honed_status:
        HONED_OK
    ctypedef struct honed_context:
        char message[512]

cdef extern from "base/cpu.h":
    ctypedef uint32_t honed_isa
    honed_isa honed_isa_detected()
    honed_status honed_isa_parse(const char *name, honed_isa *out, honed_context *ctx)

cdef extern from "base/memory.h":
    void *honed_aligned_alloc(size_t size)

cdef extern from "peak/peak.h":
    enum: HONED_PEAK_LOAD_STEP
    ctypedef struct honed_peak:
        int64_t (*f32)(int64_t rounds) nogil
        int64_t (*u8s8)(int64_t rounds) nogil
        void (*load)(const void *data, size_t bytes, int64_t passes) nogil
    const honed_peak *honed_peak_find(honed_isa allowed)


cdef const honed_peak *_find(isa) except NULL:
    cdef honed_context ctx
    cdef honed_isa level
    if honed_isa_parse(isa.encode(), &level, &ctx) != HONED_OK:
        raise ValueError(ctx.message.decode())
    cdef const honed_peak *peak = honed_peak_find(level & honed_isa_detected())
    if peak == NULL:
        raise ValueError(f"no measured limits for {isa}")
    return peak


def products_per_second(isa, kind, double seconds) -> float:
    """The most multiply-adds per second of any stretch of about a millisecond within `seconds`. kind: "f32" or "u8s8".

    Raises ValueError where the level `isa` has no such loop.
    """
    cdef const honed_peak *peak = _find(isa)
    cdef int64_t count, rounds = 100_000
    best = 0.0
    end = time.perf_counter() + seconds
    while best == 0.0 or time.perf_counter() < end:
        start = time.perf_counter()
        count = peak.f32(rounds) if kind == "f32" else peak.u8s8(rounds)
        best = max(best, count / (time.perf_counter() - start))
    return best


def products_made(isa, kind, double seconds) -> float:
    """Multiply-adds per second over all of `seconds`, without the interpreter lock, so that several threads can do it at once. kind, and
    errors: as in products_per_second."""
    cdef const honed_peak *peak = _find(isa)
    cdef bint floats = kind == "f32"
    cdef int64_t count = 0
    start = time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        with nogil:
            count += peak.f32(100_000) if floats else peak.u8s8(100_000)
    return count / (time.perf_counter() - start)


def load_bytes_per_second(isa, size_t size, double seconds) -> float:
    """The most bytes per second that one core loads of a buffer of about `size` bytes, read again and again."""
    cdef const honed_peak *peak = _find(isa)
    cdef size_t bytes = max(size // HONED_PEAK_LOAD_STEP, 1) * HONED_PEAK_LOAD_STEP
    cdef int64_t passes = max((4 << 20) // bytes, 1)
    cdef void *data = honed_aligned_alloc(bytes)
    if data == NULL:
        raise MemoryError
    try:
        memset(data, 1, bytes)
        best = 0.0
        end = time.perf_counter() + seconds
        while best == 0.0 or time.perf_counter() < end:
            start = time.perf_counter()
            peak.load(data, bytes, passes)
            best = max(best, bytes * passes / (time.perf_counter() - start))
        return best
    finally:
        free(data)
