"""python -m honed.bench COMMAND ...: the measurements of this folder, each with --help of its own."""

import sys
from importlib import import_module

COMMANDS = {
    "accuracy": "what compression costs in accuracy and gains in speed",
    "agreement": "outputs beside those of ONNX Runtime",
    "demo": "compress two real networks and print what was gained",
    "kernels": "time every kernel on the layers of a network",
    "layers": "per layer of a model: work, bound by the machine's limits, time",
    "never-slower": "compressed forms of models beside the dense ones",
    "operations": "shapes of a model's operators, as the suites read them",
    "peak": "the limits of one core, measured",
    "predict": "what `honed predict` says beside what is measured",
    "quantisation": "what ways to quantise keep of a mobile network's answers",
    "suites": "pytest-benchmark over kernel families and the shapes of real networks",
    "threads": "threads, batches, pauses, and sessions that share a pool",
}


def usage() -> str:
    """What there is."""
    lines = [f"  {name:12} {text}" for name, text in COMMANDS.items()]
    return "\n".join(["usage: python -m honed.bench COMMAND ...", "", *lines])


def main(arguments: list[str]) -> None:
    """Runs the command that the first argument names with the others."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
    elif arguments[0] in COMMANDS:
        import_module(f".{arguments[0].replace('-', '_')}", __package__).main(arguments[1:])
    else:
        print(f"unknown command {arguments[0]!r}\n{usage()}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
