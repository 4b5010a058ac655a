# Everything one does with this project. `make` lists it.

export CHROMIUM

# Whatever the environment says, what Python compiled is kept: tests start programs by the hundred, and pytest compiles 300 files.
export PYTHONDONTWRITEBYTECODE :=

PYTHON    ?= python3
PORT      ?= 8000
CATALOGUE ?= var/catalogue.sqlite
VENV      := .venv
BIN       := $(VENV)/bin

# What the environment has to be made anew for.
BUILT_FROM := pyproject.toml setup.py $(wildcard ingest/matrices/*.[ch] requirements/*.txt)

.DEFAULT_GOAL := help
.PHONY: help serve dev test test-slow test-torch test-harness test-lowest fuzz lint wheel image lock bench pictures screenshots clean

help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make serve PORT=9000 CATALOGUE=file   serves another catalogue at another port"

serve: $(VENV)/.ready ## Build a catalogue from the embedded sample if there is none, and serve it
	@test -e "$(CATALOGUE)" || $(BIN)/label-errors sample --catalogue "$(CATALOGUE)"
	@$(BIN)/label-errors serve --catalogue "$(CATALOGUE)" --port $(PORT)

dev: $(VENV)/.ready-dev ## Make a working copy: the environment, the hooks of git, the browser; then say what is next
	@test ! -e .git || $(BIN)/pre-commit install
	@test -e .git || echo "No hooks are installed: this folder is no working copy of git."
	@sh tests/browser/chromium.sh || echo "Everything is ready but the browser, without which make test stops."
	@echo
	@echo "Next:"
	@echo "  make serve   the site over the embedded sample, at http://127.0.0.1:$(PORT)"
	@echo "  make lint    style and types, as before every commit"
	@echo "  make test    the tests; TESTS=tests/test_documents.py runs some"
	@echo "CONTRIBUTING.md tells the rest."

PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

test: $(VENV)/.ready-dev chromium ## Run the tests, those in a real browser included, on up to four cores; at most 10 minutes on two
	$(PYTEST) -m "not slow" $(TESTS)

test-slow: $(VENV)/.ready-dev chromium nginx postgresql ## Run the tests that are slow by nature, and test-lowest; at most 30 minutes on two cores
	$(PYTEST) -m "slow and not torch and not harness" $(TESTS)
	$(if $(TESTS),,$(MAKE) test-torch)
	$(if $(TESTS),,$(MAKE) test-harness)
	$(if $(TESTS),,$(MAKE) test-lowest)

test-torch: $(VENV)-torch/.ready-torch ## Run those of the slow tests that need PyTorch, which test-slow does too
	$(subst $(BIN),$(VENV)-torch/bin,$(PYTEST)) -m torch $(or $(TESTS),tests/ingest/predicting)

test-harness: $(VENV)-harness/.ready-harness ## Run those of the slow tests that need lm-evaluation-harness, which test-slow does too
	$(subst $(BIN),$(VENV)-harness/bin,$(PYTEST)) -m harness $(or $(TESTS),tests/ingest/commands)

# Left out of test-lowest is what versions of packages can hardly change: what a browser does, words and rules of the project,
# formulas of plain numpy, the looks of pages, how catalogues are written (all other tests write some first), and names and
# ends of sound files. tests/test_requirements.py holds that what is tested imports all that the ROOMS of formulas and pages do.
ROOMS := app/domain $(addprefix app/site/,by_rank components gallery issue opinions quiz slices stability)
SOUNDS := $(addprefix tests/ingest/media/audio/,test_sound_choice.py test_truncation.py)
NOT_LOWEST := tests/browser $(sort $(wildcard tests/test_*.py)) $(SOUNDS) tests/ingest/catalogue $(ROOMS:%=tests/%)

test-lowest: $(VENV)-lowest/.ready-lowest ## Run the tests of what depends on packages with the oldest that pyproject.toml allows
	$(subst $(BIN),$(VENV)-lowest/bin,$(PYTEST)) -m "not slow" $(or $(TESTS),$(NOT_LOWEST:%=--ignore %))

fuzz: $(VENV)/.ready-dev ## Make thousands of generated requests of the API
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),400) $(BIN)/python -m pytest tests/app/openapi/test_fuzz.py

lint: $(VENV)/.ready-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

wheel: $(VENV)/.ready-dev ## Build the source distribution, and from it the wheel, into dist
	rm -rf dist
	$(BIN)/uv build --quiet --no-config --no-build-isolation --python $(BIN)/python --out-dir dist

DOCKER ?= docker

image: ## Build the image label-errors (DOCKER=podman builds it with another engine)
	$(DOCKER) build --tag label-errors .

lock: $(VENV)/.ready-dev ## Make requirements/*.txt anew: the newest packages that go together, with their hashes
	$(LOCK) --group build --output-file requirements/build.txt
	$(LOCK) $(EXTRAS) --output-file requirements/dev.txt pyproject.toml
	$(LOCK) --constraint requirements/dev.txt --output-file requirements/run.txt pyproject.toml
	$(LOCK) $(EXTRAS) --group build --resolution lowest-direct --output-file requirements/lowest.txt pyproject.toml
	$(LOCK) --no-deps --group harness --constraint requirements/dev.txt --output-file requirements/harness.txt
	echo torch | $(LOCK) --extra torch --excludes - --constraint requirements/dev.txt --output-file requirements/torch.txt pyproject.toml

# All but torch, of which uv would take a build for GPUs, of several GB.
EXTRAS := --extra train --extra postgres --extra dask --extra zarr --extra dev

# For every Python and system that the project supports; neither hosts nor files of this machine are named.
LOCK := $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

bench: $(VENV)/.ready-dev ## Measure the site (needs wrk)
	$(BIN)/python -m benchmarks.site

pictures: $(VENV)/.ready-dev chromium ## Draw the pictures of the documentation anew
	$(BIN)/python -m tests.doc_pictures

screenshots: $(VENV)/.ready-dev chromium ## Photograph every page of the sample into var/screenshots
	$(BIN)/python -m tests.screenshots var/screenshots

clean: ## Remove the environment and what was built; catalogues in var stay
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-torch $(VENV)-harness build dist *.egg-info ingest/matrices/*.so .mypy_cache .pytest_cache .ruff_cache .hypothesis

.PHONY: chromium nginx postgresql
chromium:
	@sh tests/browser/chromium.sh

nginx:
	@sh tests/nginx.sh

postgresql:
	@sh tests/postgresql.sh

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed as $(PYTHON); say which one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv $* || \
		{ rm -rf $*; echo "Python's venv module does not work; on Debian: apt-get install python3-venv" >&2; exit 1; }

# Packages are those of the lock file alone, each held to its hash, what builds others included: pip resolves nothing, which
# it would do wrongly where an older version than the newest is locked and asked for with an extra (fsspec[http]).
# The project itself comes last.
# $(call install,environment,lock file)
define install
	@rm -rf ingest/matrices/*.so *.egg-info  # what an earlier version left says other things of this one
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/build.txt
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-build-isolation --use-pep517 --requirement $(2)
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
endef

$(VENV)/.ready: $(BUILT_FROM) | $(BIN)/python
	$(call install,$(VENV),requirements/run.txt)
	@touch $@

$(VENV)/.ready-dev: $(BUILT_FROM) | $(BIN)/python
	$(call install,$(VENV),requirements/dev.txt)
	@touch $@ $(VENV)/.ready

$(VENV)-lowest/.ready-lowest: $(BUILT_FROM) | $(VENV)-lowest/bin/python
	$(call install,$(VENV)-lowest,requirements/lowest.txt)
	@touch $@

# An environment that stands on that of the others and has a few packages more.
# $(call install_above,environment,lock file)
define install_above
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' > \
		"$$($(1)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/beneath.pth"
	$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement $(2)
endef

# lm-evaluation-harness asks for much that a local task of choices never imports; the group names what it does: 95 MB.
$(VENV)-harness/.ready-harness: $(VENV)/.ready-dev | $(VENV)-harness/bin/python
	$(call install_above,$(VENV)-harness,requirements/harness.txt)
	@touch $@

# PyTorch is as large as all else together, and only these tests need it, so they have an environment of their own, which stands
# on that of the others. Its builds for CPUs and GPUs have one version and different hashes: pip takes the one it is set up
# for, on Linux by default one for GPUs, of about 3 GB; TORCH="--index-url ADDRESS torch==2.13.0" says where to look instead.
TORCH ?= torch==2.13.0

$(VENV)-torch/.ready-torch: $(VENV)/.ready-dev | $(VENV)-torch/bin/python
	$(call install_above,$(VENV)-torch,requirements/torch.txt)
	$(VENV)-torch/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@touch $@
