# cython: language_level=3
"""The runtime, by way of its C API."""
from libc.stdint cimport uint32_t

cdef extern from "honed.h":
    uint32_t HONED_ABI_VERSION
    uint32_t honed_abi_version()

if honed_abi_version() != HONED_ABI_VERSION:
    raise ImportError(f"libhoned has ABI version {honed_abi_version()}, this module was built for {HONED_ABI_VERSION}")
