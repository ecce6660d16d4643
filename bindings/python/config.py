"""Where the C library lies, and the flags that compile and link a program with it.

python -m honed.config --cflags --libs
"""

import argparse
from importlib.metadata import version
from pathlib import Path

PREFIX = Path(__file__).resolve().parent
LIBDIR = PREFIX / "lib"
INCLUDEDIR = PREFIX / "include"
PKGCONFIGDIR = LIBDIR / "pkgconfig"
CMAKEDIR = LIBDIR / "cmake" / "honed"


def cflags() -> str:
    """Compiler flags, as pkg-config gives them."""
    return f"-I{INCLUDEDIR}"


def libs() -> str:
    """Linker flags, as pkg-config gives them; the library is found at run time where it lies now."""
    return f"-L{LIBDIR} -Wl,-rpath,{LIBDIR} -lhoned"


def main(arguments: list[str] | None = None) -> None:
    """Prints what the options ask for: the flags on one line, each folder on a line of its own."""
    parser = argparse.ArgumentParser(prog="python -m honed.config", description="How to compile and link with libhoned.")
    parser.add_argument("--cflags", action="store_true", help="compiler flags")
    parser.add_argument("--libs", action="store_true", help="linker flags")
    folders = {"prefix": PREFIX, "includedir": INCLUDEDIR, "libdir": LIBDIR, "pkgconfigdir": PKGCONFIGDIR, "cmakedir": CMAKEDIR}
    for name in folders:
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--version", action="store_true", help="version of honed")
    options = vars(parser.parse_args(arguments))
    if not any(options.values()):
        parser.error("nothing to print; for example --cflags --libs")
    flags = [text() for name, text in (("cflags", cflags), ("libs", libs)) if options[name]]
    lines = [" ".join(flags)] if flags else []
    lines += [str(folder) for name, folder in folders.items() if options[name]]
    lines += [version("honed")] if options["version"] else []
    print("\n".join(lines))


if __name__ == "__main__":
    main()
