# Needs Python 3.11 or later, make and git; everything else is installed into .venv, from the lock files.

PYTHON ?= python3
# Most tests wait for processes of theirs, more than they compute.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
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

CHROMIUM := /usr/bin/chromium
PICTURES ?= $(VENV)/screenshots

.DEFAULT_GOAL := help
.PHONY: help install demo test browser screenshots check requirements format bench race fuzz mutation chaos quarter lock sbom audit readme clean

help: ## list what make can do
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1@\2/p' $(MAKEFILE_LIST) | awk -F@ '{printf "%-13s %s\n", $$1, $$2}'

install: $(HUB) ## install the hub and its plugins into .venv

demo: $(HUB) ## tell one share's story from end to end, on this machine alone
	@$(BIN)/hub demo

test: $(HUB) $(TOOLS) ## run every test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TEST_FLAGS)

browser: $(HUB) $(TOOLS) $(CHROMIUM) ## try every page in a real browser, each step of each journey
	@$(BIN)/python -m pytest -p no:xdist $(TEST_FLAGS) tests/browser

screenshots: $(HUB) $(TOOLS) $(CHROMIUM) ## take a picture of every page, wide and narrow
	@mkdir -p $(PICTURES)
	@SCREENSHOTS=$(abspath $(PICTURES)) $(BIN)/python -m pytest -p no:xdist $(TEST_FLAGS) tests/browser
	@echo "The pictures are in $(PICTURES)."

check: $(HUB) $(TOOLS) ## check style, types and imports
	@echo "Checking style ..."
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; exit 1; }
	@echo "Checking types ..."
	@$(BIN)/mypy
	@echo "Checking imports ..."
	@$(BIN)/lint-imports --no-logo

requirements: $(HUB) $(TOOLS) ## run what proves each requirement, and print which are proved
	@$(BIN)/python -m tests.requirements --workers $(WORKERS) $(if $(RESULTS),--results $(RESULTS))

format: $(TOOLS) ## write the code in the agreed style
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

bench: $(HUB) $(TOOLS) ## measure how fast the hub is here
	@$(BIN)/python tests/benchmarks/run.py

race: $(HUB) $(TOOLS) ## race 100,000 withdrawals against sends on each database, and two evaluators on 100,000 cases
	@RACE_RUNS=$${RACE_RUNS:-100000} $(BIN)/python -m pytest -n $(WORKERS) --timeout 3600 -m race

fuzz: $(HUB) $(TOOLS) ## plan 100,000 hostile shares, and look for what was not agreed
	@FUZZ_SHARES=$${FUZZ_SHARES:-100000} $(BIN)/python -m pytest -p no:xdist --timeout 3600 \
		tests/acceptance/test_th05_no_field_outside_consent.py

mutation: $(HUB) $(TOOLS) ## change the rules of consent and minimisation one by one, and count what no test notices
	@$(BIN)/python tests/mutation/mutate.py

chaos: $(HUB) $(TOOLS) ## kill parts of a running hub, and count what is lost
	@CHAOS_RUNS=$${CHAOS_RUNS:-50} $(BIN)/python -m pytest -p no:xdist --timeout 3600 -m chaos

quarter: $(HUB) $(TOOLS) ## live through three months of a partnership, and count every alert where it arrives
	@$(BIN)/python -m tests.quarter

lock: $(VENV)/lock/bin/uv ## renew the lock files from pyproject.toml
	@echo "Resolving requirements.txt ..."
	@$(LOCK) pyproject.toml --all-extras --group build --output-file requirements.txt $(LOCK_FLAGS)
	@echo "Resolving requirements-dev.txt ..."
	@$(LOCK) pyproject.toml --all-extras --group build --group dev --constraint requirements.txt \
		--output-file requirements-dev.txt $(LOCK_FLAGS)

sbom: $(VENV)/supply/bin/python ## list every library the hub is made of, from the lock file, as CycloneDX
	@mkdir -p dist
	@$(VENV)/supply/bin/cyclonedx-py requirements --pyproject pyproject.toml --sv 1.6 --of JSON --output-reproducible \
		--validate -o dist/sbom.json requirements.txt 2>/dev/null || { echo "The list could not be made." >&2; exit 1; }
	@echo "The hub's libraries, each with its hashes, are listed in dist/sbom.json."

audit: $(VENV)/supply/bin/python ## look up known faults of the libraries; it fails where it cannot look
	@$(BIN)/python tests/architecture/audit.py $(VENV)/supply/bin/pip-audit requirements.txt

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

$(CHROMIUM):
	@[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "Install Debian's package chromium first." >&2; exit 1; }
	@echo "Installing Chromium ..."
	@apt-get -qq update >/dev/null
	@DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends chromium >/dev/null

$(VENV)/lock/bin/uv: | $(VENV)/bin/python
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip -qq --disable-pip-version-check install uv

# These come in only when they are asked for, and never beside the hub.
$(VENV)/supply/bin/python: | $(VENV)/bin/python
	@echo "Installing the tools that list and look up libraries ..."
	@$(BIN)/python -m venv $(VENV)/supply
	@$@ -m pip -qq --disable-pip-version-check install --only-binary :all: cyclonedx-bom==7.5.0 pip-audit==2.10.1 || \
		{ rm -rf $(VENV)/supply; exit 1; }
