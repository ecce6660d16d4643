"""Maps the top-level folders onto the one package `honed`, and builds the C library and the Cython modules."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOMS = {
    "honed": "bindings/python",
    "honed.graph": "graph",
    "honed.passes": "passes",
    "honed.kernels": "kernels",
    "honed.kernels.packing": "kernels/packing",
    "honed.bench": "bench",
}
C_SOURCES = Path("bindings/c")
C_BUILD = Path(os.environ.get("HONED_C_BUILD", "build/c"))


def modules_below(suffix: str) -> dict[str, str]:
    """Dotted name -> path of every file in a room whose name ends in `suffix`; only folders with an `__init__.py` count."""
    found = {}
    for package, folder in ROOMS.items():
        for path in sorted(Path(folder).rglob(f"*{suffix}")):
            inner = path.parent.relative_to(folder).parts
            if (path.parent / "__init__.py").exists():
                found[".".join([package, *inner, path.stem])] = path.as_posix()
    return found


class BuildNative(build_ext):
    """Builds libhoned with its own Makefile first, links the extension modules to it, and lays it out inside the package."""

    def build_extensions(self) -> None:
        command = ["make", "-C", str(C_SOURCES), f"BUILD={C_BUILD.resolve()}", f"-j{os.cpu_count() or 1}"]
        subprocess.run(command, check=True)
        library = str(C_BUILD / "libhoned.a")
        for extension in self.extensions:
            extension.extra_objects = [library]
            extension.depends = [library]
        super().build_extensions()
        in_place = self.inplace or self.editable_mode
        self.install_library(Path(ROOMS["honed"]) if in_place else Path(self.build_lib, "honed"))

    def install_library(self, package: Path) -> None:
        """What a C program needs: lib/libhoned.so, include/honed.h, and the files by which pkg-config and CMake find them."""
        for folder in ("lib/pkgconfig", "lib/cmake/honed", "include"):
            (package / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy2(C_BUILD / "libhoned.so", package / "lib")
        shutil.copy2(C_SOURCES / "honed.h", package / "include")
        # Both tools know where their file lies, so that the tree can be moved.
        self.fill("honed.pc.in", package / "lib/pkgconfig/honed.pc", "${pcfiledir}/../..")
        self.fill("honed-config.cmake.in", package / "lib/cmake/honed/honed-config.cmake", "${CMAKE_CURRENT_LIST_DIR}/../../..")

    def fill(self, template: str, path: Path, prefix: str) -> None:
        text = (C_SOURCES / template).read_text()
        path.write_text(text.replace("@PREFIX@", prefix).replace("@VERSION@", self.distribution.get_version()))


def extension(name: str, source: str) -> Extension:
    return Extension(
        name,
        [source],
        include_dirs=["kernels", str(C_SOURCES), numpy.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
        extra_compile_args=["-O2", "-fvisibility=hidden"],
        libraries=["m", "pthread"],
    )


packages = {name.removesuffix(".__init__"): str(Path(path).parent) for name, path in modules_below("__init__.py").items()}

setup(
    packages=list(packages),
    package_dir=packages,
    include_package_data=False,
    package_data={
        "honed": ["py.typed"],
        "honed.passes.lower.costs": ["tables/*.json"],
        "honed.bench": ["recipes/*.yaml", "shapes/*.txt", "shapes/operations/*.txt"],
    },
    ext_modules=cythonize([extension(*item) for item in modules_below(".pyx").items()], build_dir="build/cython"),
    cmdclass={"build_ext": BuildNative},
)
