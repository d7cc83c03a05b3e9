# Everything here works from a fresh clone with Python 3.11+, make and a network for packages.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

# The versions that are tested, each in an environment of its own
DATAJOINT_2 := 2.3.5
DATAJOINT_0.14 := 0.14.10
CAVECLIENT := 8.2.1

# Bytecode that is not kept is made again in every process, for some seconds each
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install extras run test test-all test-keras lint bench results docs clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --group dev --editable .
	touch $@

extras: .venv-datajoint-2/installed .venv-datajoint-0.14/installed .venv-cave/installed

.venv-datajoint-%/installed: $(INSTALLED)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-datajoint-$*
	$(BIN)/uv pip install --quiet --python .venv-datajoint-$*/bin/python --constraint constraints.txt \
		--editable ".[datajoint]" "datajoint==$(DATAJOINT_$*)"
	touch $@

# caveclient wants a pandas before 3
.venv-cave/installed: $(INSTALLED)
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-cave
	grep -v '^pandas' constraints.txt | $(BIN)/uv pip install --quiet --python .venv-cave/bin/python \
		--constraint - --editable ".[cave]" "caveclient==$(CAVECLIENT)" beartype pytest
	touch $@

# TensorFlow wants an older h5py
.venv-keras/installed: $(INSTALLED) constraints-keras.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-keras
	$(BIN)/uv pip install --quiet --python .venv-keras/bin/python --constraint constraints-keras.txt \
		--group keras-tests --editable ".[keras]"
	touch $@

# What the engine is timed against
.venv-reference/installed: $(INSTALLED) benchmarks/reference.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-reference
	$(BIN)/uv pip install --quiet --python .venv-reference/bin/python --requirement benchmarks/reference.txt
	touch $@

run: install
	$(BIN)/biosernn run --out out/quick

test: install
	$(BIN)/pytest -n auto -m "not slow"

test-all: install
	$(BIN)/pytest -n auto

test-keras: .venv-keras/installed
	KERAS_BACKEND=tensorflow .venv-keras/bin/pytest -n auto tests/with_keras src/biosernn/keras
	KERAS_BACKEND=jax .venv-keras/bin/pytest -n auto tests/with_keras src/biosernn/keras

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: install .venv-reference/installed
	$(BIN)/python -m benchmarks

# Rebuilds the page of results from the tables beside it; FROM="out/paper ..." takes finished studies' first
results: install
	$(BIN)/python -m docs.results.build $(FROM)

docs: install
	$(BIN)/mkdocs build --quiet

clean:
	rm -rf .venv .venv-* site .ruff_cache .mypy_cache
