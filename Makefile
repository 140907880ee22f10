# The whole developer interface: make demo | test | lint | faults | interop SERVER=name | bench
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SUM     = $(shell cat $(1) | cksum | cut -d' ' -f1)
USE    := $(VENV)/.use-$(call SUM,requirements.lock pyproject.toml)
DEV    := $(VENV)/.dev-$(call SUM,requirements.lock requirements-dev.lock pyproject.toml)
PIP    := $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-compile
ARGS   ?=
BENCH  ?= run cost truth scale capacity
# Bytecode is kept, beside what is installed, even where the environment asks for none: without it every process compiles all again.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache

.PHONY: demo test lint faults interop bench lock clean
demo: $(USE)
	@$(BIN)/grantproof demo $(ARGS)

test: $(DEV)
	$(BIN)/python -m pytest $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright

faults: $(DEV)
	$(BIN)/python -m tests.faults.matrix $(ARGS)

interop: $(DEV)
	$(BIN)/python -m tests.interop.run $(SERVER) $(ARGS)

bench: $(DEV)
	set -e; for each in $(BENCH); do $(BIN)/python -m tests.bench.$$each $(ARGS); done

# What users need: the run-time lock with hashes (halved, for reading the index is what takes pip so long), then the
# project itself, editable and without dependencies.
$(USE): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("grantproof needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing grantproof into $(VENV) ..."
	@awk -v to=$(VENV)/.half- '/^[^ ].*==/ { half = 3 - half } { print > (to half) }' half=2 requirements.lock
	@$(PIP) --require-hashes -r $(VENV)/.half-1 & $(PIP) --require-hashes -r $(VENV)/.half-2 && wait $$!
	@$(PIP) --no-build-isolation -e .
	@rm -f $(VENV)/.use-*; touch $@

$(DEV): $(USE) requirements-dev.lock
	@$(PIP) --require-hashes -r requirements-dev.lock
	@rm -f $(VENV)/.dev-*; touch $@

# Renews both locks; needs uv on the PATH. uv writes where it looked into its first lines: they are dropped.
LOCK := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
lock:
	echo hatchling | $(LOCK) pyproject.toml - | grep -v '^--' > .requirements.new && mv .requirements.new requirements.lock
	$(LOCK) --group dev -c requirements.lock pyproject.toml | grep -v '^--' > .requirements.new && mv .requirements.new requirements-dev.lock

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
