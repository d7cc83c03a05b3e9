# Everything here works from a fresh clone with Python 3.11+, make and a network for packages.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: install run test test-all lint bench docs clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group dev --editable .
	touch $@

run: install
	$(BIN)/biosernn run --out out/quick

test: install
	$(BIN)/pytest -n auto -m "not slow"

test-all: install
	$(BIN)/pytest -n auto

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: install
	$(BIN)/python -m benchmarks

docs: install
	$(BIN)/mkdocs build --quiet

clean:
	rm -rf .venv site .ruff_cache .mypy_cache
