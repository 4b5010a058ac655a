# Everything one does with this project. `make` lists it.

export CHROMIUM
PYTHON    ?= python3
PORT      ?= 8000
CATALOGUE ?= var/catalogue.sqlite
VENV      := .venv
BIN       := $(VENV)/bin

# What the environment has to be made anew for.
BUILT_FROM := pyproject.toml $(wildcard ingest/*.[ch])

.DEFAULT_GOAL := help
.PHONY: help serve test test-slow fuzz lint bench screenshots clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make serve PORT=9000 CATALOGUE=file   serves another catalogue at another port"

serve: $(VENV)/.ready ## Build a catalogue from the embedded sample if there is none, and serve it
	@test -e "$(CATALOGUE)" || $(BIN)/python -m ingest sample --catalogue "$(CATALOGUE)"
	@$(BIN)/python -m app --catalogue "$(CATALOGUE)" --port $(PORT)

PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test: $(VENV)/.ready-dev chromium ## Run the tests, those in a real browser included, on up to four cores; at most 10 minutes on two
	$(PYTEST) -m "not slow" $(TESTS)

test-slow: $(VENV)/.ready-dev chromium ## Run the tests that are slow by nature; at most 30 minutes on two cores
	$(PYTEST) -m slow $(TESTS)

fuzz: $(VENV)/.ready-dev ## Make thousands of generated requests of the API
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),400) $(BIN)/python -m pytest tests/app/test_fuzz.py

lint: $(VENV)/.ready-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.ready-dev ## Measure the site (needs wrk)
	$(BIN)/python -m benchmarks.site

screenshots: $(VENV)/.ready-dev chromium ## Photograph every page of the sample into var/screenshots
	$(BIN)/python -m tests.screenshots var/screenshots

clean: ## Remove the environment and what was built; catalogues in var stay
	rm -rf $(VENV) build *.egg-info ingest/*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: chromium
chromium:
	@sh tests/browser/chromium.sh

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed as $(PYTHON); say which one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python's venv module does not work; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.ready: $(BUILT_FROM) | $(BIN)/python
	@rm -f ingest/*.so
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.ready-dev: $(BUILT_FROM) | $(BIN)/python
	@rm -f ingest/*.so
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.ready
