# Every target sets up what it needs: `make run` on a fresh machine is one command.
PYTHON ?= python3
BIN := .venv/bin
# More test processes than cores: much of their time they wait for other processes.
WORKERS ?= 4
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help run demo test bench fuzz check format lock openapi clean local dev

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

run: local ## Set up, migrate and serve on port 8082
	@$(BIN)/python -m maverik_backend serve

demo: local ## Set up and play a whole advisory conversation
	@$(BIN)/python -m maverik_backend demo

test: dev ## Set up and run every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

bench: dev ## Measure; prints a table and writes .maverik/bench.json (ARGS="--only NAME", --quick)
	@$(BIN)/python -m tests.bench $(ARGS)

fuzz: dev ## Send thousands of generated requests; prints cases and failures (ARGS="--examples N --seed N")
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: dev ## Lint, formatting, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev ## Put code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: dev ## Write requirements*.txt from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(LOCK) $(UPGRADE) -o requirements.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra local -c requirements.txt -o requirements-local.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra lambda -c requirements.txt -o requirements-lambda.txt pyproject.toml
	$(LOCK) $(UPGRADE) --extra local --extra lambda --extra dev \
		-c requirements-local.txt -c requirements-lambda.txt -o requirements-dev.txt pyproject.toml

openapi: dev ## Write the reviewed OpenAPI snapshot anew
	$(BIN)/python -m pytest -q tests/api/test_openapi.py::test_the_document_is_the_reviewed_one --write-openapi

clean: ## Remove .venv and caches; data in .maverik stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

local:
	@$(PYTHON) deployments/bootstrap.py local

dev:
	@$(PYTHON) deployments/bootstrap.py dev
