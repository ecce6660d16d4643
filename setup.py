"""Maps the top-level folders onto the one package `honed`, and builds the C library and the Cython modules."""

import os
import subprocess
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

PACKAGES = {
    "honed": "bindings/python",
    "honed.graph": "graph",
    "honed.passes": "passes",
    "honed.passes.clean": "passes/clean",
    "honed.passes.compress": "passes/compress",
    "honed.passes.lower": "passes/lower",
    "honed.kernels": "kernels",
    "honed.bench": "bench",
}
EXTENSIONS = {
    "honed.kernels._native": "kernels/_native.pyx",
    "honed._runtime": "bindings/python/_runtime.pyx",
}
C_BUILD = Path(os.environ.get("HONED_C_BUILD", "build/c"))


class BuildNative(build_ext):
    """Builds libhoned with its own Makefile first: the extension modules link to it."""

    def build_extensions(self) -> None:
        command = ["make", "-C", "bindings/c", f"BUILD={C_BUILD.resolve()}", f"-j{os.cpu_count() or 1}"]
        subprocess.run(command, check=True)
        library = str(C_BUILD / "libhoned.a")
        for extension in self.extensions:
            extension.extra_objects = [library]
            extension.depends = [library]
        super().build_extensions()


def extension(name: str, source: str) -> Extension:
    return Extension(
        name,
        [source],
        include_dirs=["kernels", "bindings/c", numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=["-O2", "-fvisibility=hidden"],
        libraries=["m", "pthread"],
    )


setup(
    packages=list(PACKAGES),
    package_dir=PACKAGES,
    ext_modules=cythonize([extension(name, source) for name, source in EXTENSIONS.items()], build_dir="build/cython"),
    cmdclass={"build_ext": BuildNative},
)
