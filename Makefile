# `make run` is all that a fresh machine needs (Python 3.11 or newer, and make); `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first interpreter that is new enough and whole; PYTHON=/path/to/python3 chooses another. The system's own
# comes first: it is built with all optimisations and is kept safe with the rest of the system.
PYTHON ?= $(shell for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
# The installer has a corner of its own, because it removes from .venv whatever is not in uv.lock, itself included.
UV := $(VENV)/uv/bin/uv
UV_VERSION := 0.13.9
STAMP := $(VENV)/.stamp

PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
# How much of each long test is run: 1 is the slice of `.ci/run`, "full" is everything.
SLICE ?= full
# Options of the benchmarks, for example ARGS='--count 20000 --json'.
ARGS ?=

.PHONY: help
help:  ## List these targets
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 12

.PHONY: run
run: install  ## Run the guard; without a configuration: SMTP on 127.0.0.1:2525, nothing leaves the machine
	$(BIN)/mailguard serve

.PHONY: install
install: $(STAMP)  ## Make .venv from the locked dependencies, if it is not there or not fresh

# An environment whose Python is gone (an upgrade of the system) is made anew, not mended.
$(STAMP): uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "mailguard needs Python 3.11 or newer with its venv module (on Debian: apt install python3-venv); name it with make PYTHON=/path/to/python3" >&2; exit 2; }
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(UV) --version 2>/dev/null | grep -qF 'uv $(UV_VERSION)' || { \
		$(PYTHON) -m venv --clear $(VENV)/uv || { echo "Python lacks the venv module (on Debian: apt install python3-venv)" >&2; exit 2; }; \
		$(VENV)/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION)'; }
	UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never $(UV) sync --frozen --all-extras --quiet --python $(BIN)/python
	@touch $@

.PHONY: test
test: install  ## The whole test suite but the long ones; CI=true makes a missing program an error
	$(PYTEST) -m 'not slow' -n $(WORKERS)

.PHONY: test-slow
test-slow: install  ## The long ones; SLICE=1 runs a small part of each
	MAILGUARD_SLICE=$(SLICE) $(PYTEST) -m slow -n $(WORKERS)

.PHONY: check
check: install  ## Format, lint, types, import contracts, configuration files, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/tombi lint --offline --quiet --error-on-warnings config
	$(PYTEST) -q -n 0 tests/test_tree.py tests/test_docs.py tests/test_config_files.py tests/test_deploy.py

.PHONY: format
format: install  ## Format the code and write docs/reference anew
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python -m tests.reference --write

.PHONY: benchmark
benchmark: install  ## Messages a second, beside Postfix on the same machine (needs Postfix)
	$(BIN)/python -m tests.benchmarks.beside $(ARGS)

.PHONY: benchmark-flat
benchmark-flat: install  ## An empty queue beside one of a million, and large mail over slow lines
	$(BIN)/python -m tests.benchmarks.flat $(ARGS)
	$(BIN)/python -m tests.benchmarks.slow

.PHONY: clean
clean:  ## Remove everything that can be made anew; the queue in ./var stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
