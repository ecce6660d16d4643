# honed: the commands of a developer. `make setup` is all that a fresh clone needs; everything else calls it where it is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
C_FILES = $(shell git ls-files '*.c' '*.h')
NATIVE := setup.py pyproject.toml bindings/c/Makefile $(shell find kernels bindings -name '*.[ch]' -o -name '*.inc' -o -name '*.pyx' -o -name '*.in')
PYTEST_WORKERS ?= $(shell n=$$(nproc); [ $$n -gt 4 ] && n=4; echo $$n)

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 18

setup: $(STAMP) ## .venv with honed (editable) and all that the demo and the tests need

$(STAMP): $(NATIVE)
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[demo,test]'
	@touch $@

demo: setup ## compress two real networks and print what was gained
	$(BIN)/python -m honed.bench.demo

test: setup ## the whole test-suite
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup

lint: setup ## formatting, style and types
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	$(BIN)/ruff check .
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)
	rm -rf build/typing && mkdir -p build/typing/honed
	ln -s $(CURDIR)/bindings/python/* $(CURDIR)/graph $(CURDIR)/passes $(CURDIR)/kernels $(CURDIR)/bench build/typing/honed
	MYPYPATH=build/typing $(BIN)/mypy -p honed

sanitize: setup ## the C library under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer
	$(BIN)/python -m pytest tests/bindings/c

clean: ## remove everything that was built
	rm -rf $(VENV) build dist demo *.egg-info bindings/python/lib bindings/python/include
	find . -name '*.so' -not -path './.venv/*' -delete

.PHONY: help setup demo test lint sanitize clean
