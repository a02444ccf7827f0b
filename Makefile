# Needs Python 3.11 or later, make and git; everything else is installed into .venv, from the lock files.

PYTHON ?= python3
WORKERS ?= auto
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
PLUGINS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml)))
LOCK := $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

# Each stamp is newer than what it was made from, so that going from demo to test and back installs nothing again.
LIBRARIES := $(VENV)/.libraries
HUB := $(VENV)/.hub
TOOLS := $(VENV)/.tools

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench race chaos lock readme clean

help: ## list what make can do
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{printf "%-10s %s\n", $$1, $$2}'

install: $(HUB) ## install the hub and its plugins into .venv

demo: $(HUB) ## tell one share's story from end to end, on this machine alone
	@$(BIN)/hub demo

test: $(HUB) $(TOOLS) ## run every test
	@$(BIN)/python -m pytest -n $(WORKERS)

check: $(HUB) $(TOOLS) ## check style, types and imports
	@echo "Checking style ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }
	@echo "Checking types ..."
	@$(BIN)/mypy
	@echo "Checking imports ..."
	@$(BIN)/lint-imports --no-logo

format: $(TOOLS) ## write the code in the agreed style
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

bench: $(HUB) $(TOOLS) ## measure how fast the hub is here
	@$(BIN)/python tests/benchmarks/run.py

race: $(HUB) $(TOOLS) ## race withdrawals against sends, 10,000 times
	@RACE_RUNS=$${RACE_RUNS:-10000} $(BIN)/python -m pytest -n $(WORKERS) --timeout 3600 -m race

chaos: $(HUB) $(TOOLS) ## kill parts of a running hub, and count what is lost
	@CHAOS_RUNS=$${CHAOS_RUNS:-50} $(BIN)/python -m pytest -p no:xdist --timeout 3600 -m chaos

lock: $(VENV)/lock/bin/uv ## renew the lock files from pyproject.toml
	@echo "Resolving requirements.txt ..."
	@$(LOCK) pyproject.toml --all-extras --group build --output-file requirements.txt $(LOCK_FLAGS)
	@echo "Resolving requirements-dev.txt ..."
	@$(LOCK) pyproject.toml --all-extras --group build --group dev --constraint requirements.txt \
		--output-file requirements-dev.txt $(LOCK_FLAGS)

readme: $(HUB) ## write the parts of README.md that are made from the code
	@$(BIN)/python tests/architecture/readme.py

clean: ## remove what make installed and what the tools left behind
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "The hub needs Python 3.11 or later; name one with: make PYTHON=python3.11 ..." >&2; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@# setuptools leaves a .pth file that runs code at every start; nothing here needs it.
	@if $(PIP) show setuptools >/dev/null 2>&1; then $(PIP) uninstall --yes setuptools; fi

$(LIBRARIES): requirements.txt | $(VENV)/bin/python
	@echo "Installing the libraries, each checked against its hash ..."
	@$(PIP) install --require-hashes --only-binary :all: --requirement requirements.txt
	@touch $@

$(HUB): $(LIBRARIES) pyproject.toml $(PLUGINS:%=%/pyproject.toml)
	@echo "Installing the hub and its plugins: $(notdir $(PLUGINS)) ..."
	@$(PIP) install --no-deps --no-build-isolation --editable . $(PLUGINS:%=--editable %)
	@touch $@

$(TOOLS): requirements-dev.txt | $(LIBRARIES)
	@echo "Installing the tools for tests and checks ..."
	@$(PIP) install --require-hashes --only-binary :all: --requirement requirements-dev.txt
	@touch $@

$(VENV)/lock/bin/uv: | $(VENV)/bin/python
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip -qq --disable-pip-version-check install uv
