# `make run` and `make test` need Python 3.11 to 3.14 and nothing else; uv is used when it is there.
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help run stop test versions lint format lock bench screenshot clean compose

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.installed-run: pyproject.toml uv.lock .ci/venv
	@.ci/venv run

.venv/.installed-dev: pyproject.toml uv.lock .ci/venv
	@.ci/venv dev

run: .venv/.installed-run ## Set up and start langfuse-local: the terminal UI, or the foreground without a terminal
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/langfuse-local; else exec $(BIN)/langfuse-local up --show-keys; fi

stop: .venv/.installed-run ## Stop what `make run` started; the data stays
	@$(BIN)/langfuse-local down

test: .venv/.installed-dev ## Set up and run all tests (ARGS="..." goes to pytest)
	$(BIN)/python -m pytest $(ARGS)

versions: .venv/.installed-dev ## Run the unit tests on the lowest and the newest allowed dependencies, and on every Python
	@.ci/versions

lint: .venv/.installed-dev ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy appliance tui tests
	$(BIN)/lint-imports

format: .venv/.installed-dev ## Put the source in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/.installed-dev ## Write uv.lock and requirements anew (ARGS=--upgrade for newer versions)
	.ci/lock $(ARGS)

bench: .venv/.installed-dev ## Measure start-up, freshness, ingestion and idle cost
	$(BIN)/python -m tests.benchmarks

compose: .venv/.installed-dev ## Write the compose files anew from the catalog of images
	$(BIN)/python -m tests.architecture.compose_files compose

screenshot: .venv/.installed-dev ## Draw docs/tui.svg anew
	$(BIN)/python -m tui.screenshot --out docs/tui.svg

clean: ## Remove what the targets above made
	rm -rf .venv .venv-* dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
