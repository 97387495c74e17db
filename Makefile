# Everything starts here: `make demo` to see it, `make test` to check it.
# Writes only below this folder and PIECED_CACHE.

.DEFAULT_GOAL := help
.PHONY: help setup setup-python up demo test test-devcluster test-fast test-faults soak mutation check-pdfa lint format types lock bench-operator bench-billing clean distclean

export PIECED_CACHE ?= $(HOME)/.cache/pieced
# Tools that would write to the home folder write here.
export PIP_CACHE_DIR := $(PIECED_CACHE)/pip
export UV_CACHE_DIR := $(PIECED_CACHE)/uv
export KUBECACHEDIR := $(PIECED_CACHE)/kubectl
# A machine that builds images often forbids Python to keep what it compiles: here every one of hundreds of processes
# would compile Pieced again.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
FAULTS := tests/faults tests/unit/test_fault_points.py $(addprefix tests/integration/test_, \
	operator_faults.py operator_outages.py operator_absence.py operator_lease.py operator_replay.py \
	operator_sweep.py operator_sweep_halts.py operator_commands.py ledger_observe_faults.py \
	ledger_seal_published.py store_upgrade_killed.py resume_requests.py invoice_run_parallel.py \
	sealed_numbers.py usage_collect.py invoice_send.py)
MINUTES ?= 30

help: ## Show these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Set everything up: virtual environment, dependencies, control plane
	@local/setup.sh

setup-python:
	@local/setup.sh --python-only

up: setup ## Start the stack (control plane, Postgres, operator) and leave it running until Ctrl-C
	@$(BIN)/python -m pieced_local up

demo: setup ## Start the stack and tell the whole story, from kubectl apply to an invoice
	@$(BIN)/python -m pieced_local demo

# Three tests at once: two leave two processors idle for a third of the time, waiting for Leases, deletions and starts.
test: setup ## Run everything: formatting, lint, types, import contracts, all tests
	@$(MAKE) --no-print-directory --jobs=2 types lint test-devcluster
	@$(BIN)/python -m pieced_local postgres-15
	local/in-memory.sh .cache/tests $(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-devcluster: setup-python
	$(BIN)/python -m pieced_local go vet ./internal/... ./acceptance
	$(BIN)/python -m pieced_local go test ./internal/...

test-fast: setup-python ## Run the tests of the pure core: no servers, under 20 seconds
	$(BIN)/pytest -n 2 tests/unit tests/property

test-faults: setup ## Let everything fail: death at every named point, then a storm of every kind of fault
	local/in-memory.sh .cache/tests $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(FAULTS)
	local/in-memory.sh .cache/tests $(BIN)/python -m tests.faults --rounds 3

soak: setup ## Let faults come for half an hour (MINUTES=30), counted in docs/reliability.md
	$(BIN)/python -m tests.faults --minutes $(MINUTES) --report docs/reliability.md

mutation: setup-python ## Change the core that decides money in every small way, and count in docs/mutation.md what tests notice
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-mutation.lock
	$(BIN)/python -m tests.mutation

check-pdfa: setup-python ## Check documents of every kind with veraPDF, against PDF/A-3a and PDF/UA-1 (needs Java 17 and Maven)
	$(BIN)/python -m tests.pdfa

lint: setup-python ## Check formatting, lint rules and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports --cache-dir .cache/import-linter

types: setup-python ## Check the types
	$(BIN)/mypy

format: setup-python ## Format the code and mend what the linter can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

lock: setup-python ## Resolve pyproject.toml again into the lock files: development, image, building the wheel, mutation
	$(LOCK) pyproject.toml --extra dev --output-file requirements.lock
	$(LOCK) pyproject.toml --constraint requirements.lock --output-file requirements-runtime.lock
	echo hatchling | $(LOCK) - --constraint requirements.lock --output-file requirements-build.lock
	echo 'cosmic-ray>=8.7,<9' | $(LOCK) - --constraint requirements.lock --output-file requirements-mutation.lock

bench-operator: setup ## Measure the operator with 1,000, 5,000 and 10,000 tenants, and two others next to it (hours)
	@$(BIN)/python -m benchmarks.operator --write
	@$(BIN)/python -m benchmarks.operator --programs kopf,go --tenants 1000 --write

bench-billing: setup ## Measure a month of up to 100,000 tenants: imports, drafts, invoice run, documents (15 minutes)
	@$(BIN)/python -m benchmarks.billing --write

clean: ## Remove the local stack's data and the tools' caches
	rm -rf .state .cache

distclean: clean ## Remove the virtual environment too
	rm -rf .venv
