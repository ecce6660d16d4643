"""The parts of the README that are generated: python -m honed.docs README.md"""

import argparse
from pathlib import Path

from .passes.lower.claims import RESTRICTIONS
from .passes.lower.supported import supported_operators

BEGIN, END = "<!-- operators: written by python -m honed.docs -->", "<!-- /operators -->"


def operator_table() -> str:
    """The ONNX operators that can be run, as a Markdown table, and which of them only within limits."""
    rows = [f"| {group} | {' '.join(f'`{name}`' for name in names)} |" for group, names in supported_operators().items()]
    limits = [f"- `{name}` runs {text}." for name, (text, _) in RESTRICTIONS.items()]
    return "\n".join(["| | ONNX operators |", "|---|---|", *rows, "", *limits])


def with_operator_table(text: str) -> str:
    """`text` with what stands between the two markers replaced by the present table. Raises ValueError where there are no markers."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n{operator_table()}\n{end}{after}"


def main() -> None:
    """Rewrites the file in place."""
    parser = argparse.ArgumentParser(prog="python -m honed.docs", description="Write the generated parts of the README.")
    parser.add_argument("readme", type=Path)
    path = parser.parse_args().readme
    path.write_text(with_operator_table(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
