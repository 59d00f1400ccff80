# Everything a person does with this repository. `make help` lists it. Works with GNU Make 3.81 (macOS) and later.

.DEFAULT_GOAL := help

# Which Python makes the environment; unset, the first one here that is new enough.
PYTHON ?=
# Handed on to the command that a target runs: make test ARGS="-k vault", make demo ARGS=--check, make lock ARGS=--upgrade
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PROVIDER := tests/provider/node_modules/.made
VENDOR := src/seawall/console/static/vendor
LOCKS := requirements.lock requirements-dev.lock package-lock.json tests/provider/package-lock.json

# A person's own pip configuration must not send the install elsewhere.
export PIP_USER := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled while installing, since some environments forbid Python to do it later, and every start would pay for that.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --no-input --compile
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-header --no-emit-index-url --no-emit-find-links pyproject.toml

.PHONY: help
help: ## Say what each target does.
	@echo "Seawall. Start with 'make demo' to see it work, or 'make test' to see it checked."
	@echo
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(VENV)/.runtime $(VENDOR)/htmx.min.js ## Make .venv with Seawall and what it needs; afterwards .venv/bin/seawall is the command.
	@:

.PHONY: setup-dev
setup-dev: $(VENV)/.dev $(VENV)/.browser-dev ## The same, and what developing needs (tests, type checker, linters).
	@$(MAKE) --no-print-directory setup

.PHONY: demo
demo: setup ## Start Seawall beside a sample platform and print their addresses. ARGS=--check tries it without a person.
	$(BIN)/seawall demo $(ARGS)

# Tests wait much: for processes, for servers, for time to pass. So one more runs than there are cores here.
TESTS_AT_ONCE ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1) + 1)

.PHONY: test
test: setup-dev ## Run every test, after bringing what they need. ARGS="-k word" picks some, TESTS_AT_ONCE=0 runs one after another.
	@sh tools/test-programs.sh
	@$(MAKE) --no-print-directory $(PROVIDER)
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --maxprocesses 8 --dist loadfile $(ARGS)

.PHONY: check
check: setup-dev ## Lint, format, types, import directions, locks without addresses, generated pages up to date.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy tools
	$(BIN)/lint-imports
	@if grep -n '://' $(LOCKS); then echo "A lock names an address; it may hold hashes only. Use make lock."; exit 1; fi
	$(BIN)/python tools/reference_docs.py --check

.PHONY: docs
docs: $(VENV)/.dev ## Write docs/reference anew from settings, errors, commands and API.
	$(BIN)/python tools/reference_docs.py

.PHONY: lock
lock: $(VENV)/.dev ## Resolve the dependencies of pyproject.toml and package.json into the locks. ARGS=--upgrade takes newer ones.
	$(UV_COMPILE) $(ARGS) --group build --group dev -o requirements-dev.lock
	$(UV_COMPILE) $(ARGS) --extra video --group build -c requirements-dev.lock -o requirements.lock
	$(BIN)/python tools/browser_files.py --lock
	$(BIN)/python tools/test_provider.py --lock

.PHONY: dist
dist: setup ## Build the wheel, with the browser files in it, and that of the client alone, into dist/.
	$(BIN)/python -m hatchling build -t wheel
	cd client && ../$(BIN)/python -m hatchling build -t wheel -d ../dist

.PHONY: bench-http
bench-http: $(VENV)/.dev ## Measure uploads over HTTP: runs benchmarks/over_http.py, which may not be called http.py.
	$(BIN)/python benchmarks/over_http.py $(ARGS)

.PHONY: fuzz-nightly
fuzz-nightly: ## Send a million damaged files through the decoders; takes about an hour. ARGS="--seed 7" for others.
	$(MAKE) bench-fuzz ARGS="--inputs 1000000 $(ARGS)"

bench-%: $(VENV)/.dev ## Measure: runs benchmarks/NAME.py for make bench-NAME.
	$(BIN)/python benchmarks/$(subst -,_,$*).py $(ARGS)

.PHONY: clean
clean: ## Remove what the other targets made here: environment, browser files, caches, builds. Never data.
	rm -rf $(VENV) node_modules tests/provider/node_modules $(VENDOR) build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# What follows is done once, and again only when its inputs change; the stamps say when it was done.

$(VENV)/.made: tools/make-venv.sh
	@sh tools/make-venv.sh $(VENV) "$(PYTHON)"
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml $(VENV)/.made
	@echo "Installing Seawall and what it runs on (requirements.lock)"
	@$(PIP_INSTALL) --require-hashes -r requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

# The development lock holds all of the other one, in the same versions.
$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml $(VENV)/.made
	@echo "Installing Seawall and what developing it takes (requirements-dev.lock)"
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $(VENV)/.runtime $@

$(VENDOR)/htmx.min.js: package.json package-lock.json .npmrc tools/browser_files.py | $(VENV)/.runtime
	@echo "Fetching the browser files of the console (package-lock.json)"
	@$(BIN)/python tools/browser_files.py

# What tests of single sign-on log in at. Without it they are skipped.
$(PROVIDER): tests/provider/package.json tests/provider/package-lock.json tools/test_provider.py
	@echo "Fetching the OpenID provider of the tests (tests/provider/package-lock.json)"
	@$(BIN)/python tools/test_provider.py
	@touch $@

# What tests load in the browser comes with what pages load; npm lays both anew.
$(VENV)/.browser-dev: $(VENDOR)/htmx.min.js | $(VENV)/.dev
	@echo "Fetching what browser tests need (package-lock.json)"
	@$(BIN)/python tools/browser_files.py --dev
	@touch $@
