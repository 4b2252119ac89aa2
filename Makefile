# Everything a developer does, in one word each. Needs Python >= 3.11 and make; the rest it gets itself.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# The machine's certificates, as pip takes them; and no Python but the one that is here.
UV := UV_PROJECT_ENVIRONMENT=$(VENV) UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never $(BIN)/uv
TESTS ?= tests
MINUTES ?= 10
ENGINE ?= duckdb

help: ## Show these lines
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## /\1\t/' | while IFS=$$'\t' read -r word says; do printf '  make %-12s %s\n' "$$word" "$$says"; done

demo: $(VENV)/.installed ## A month of a shop, the whole way, five answers from its star, and its page (in ./demo)
	@rm -rf demo
	$(BIN)/aisle init demo
	$(BIN)/aisle -C demo generate --days 30
	$(BIN)/aisle -C demo run
	$(BIN)/aisle -C demo check
	$(BIN)/aisle -C demo load
	@$(BIN)/python scripts/ask.py demo examples/demo.sql
	$(BIN)/aisle -C demo report

demo-s3: $(VENV)/.installed-dev ## The same on S3 and PostgreSQL, which it starts and stops (in ./demo-s3)
	@rm -rf demo-s3
	@$(BIN)/python scripts/demo_s3.py demo-s3 examples/demo.sql

journey: $(VENV)/.installed-dev ## A year of real receipts, the whole way, compared with known totals (in ./journey; ENGINE=spark too)
	@rm -rf journey
	@mkdir journey
	@cp examples/journey.toml journey/aisle.toml
	$(BIN)/python examples/complete_journey/landing.py journey/landing
	$(BIN)/aisle -C journey run --engine $(ENGINE)
	$(BIN)/aisle -C journey load
	@$(BIN)/python scripts/ask.py journey examples/complete_journey/questions.sql
	@$(BIN)/python scripts/known_totals.py journey

late: $(VENV)/.installed-dev ## A file that comes late: what was answered before it, and after (in ./late)
	@rm -rf late
	@mkdir late
	@cp examples/late.toml late/aisle.toml
	@cp -r examples/late_arrival/delivered late/landing
	$(BIN)/aisle -C late run
	$(BIN)/aisle -C late load
	@$(BIN)/python scripts/ask.py late examples/late_arrival/question.sql
	@cp -r examples/late_arrival/late/. late/landing
	$(BIN)/aisle -C late run
	$(BIN)/aisle -C late load
	@$(BIN)/python scripts/ask.py late examples/late_arrival/question.sql

test: spark-jars browser ## Run the tests (TESTS=tests/test_cli.py for some)
	@$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(TESTS)

test-spark: spark-jars ## Run the tests on Spark alone
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m spark $(TESTS)

test-browser: $(VENV)/.installed-dev browser ## Run the tests in a browser alone
	@$(BIN)/python -m pytest -m browser $(TESTS)

browser: ## Install Chromium for them, where it is missing
	@scripts/browser.sh

spark-jars: $(VENV)/.installed-dev ## Fetch what Spark needs for S3, once, into this user's cache
	@$(BIN)/python scripts/spark_jars.py

fuzz: $(VENV)/.installed-dev ## Try random stars and histories for MINUTES=10, with fresh seeds (ENGINE=spark: on Spark too)
	@$(BIN)/python scripts/fuzz.py $(MINUTES) $(ENGINE)

lint: $(VENV)/.installed-dev ## Look at format, style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(VENV)/.installed-dev ## Format, and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

snapshots: $(VENV)/.installed-dev ## Write anew the star in Redshift's SQL, and Spark's plans, in tests/snapshots, for review
	@$(BIN)/python scripts/snapshots.py

bench: $(VENV)/.installed-dev ## Measure against a hand-written floor, and one change on growing histories, S3 beside a folder, warehouses
	@$(BIN)/python benchmarks/bench.py
	@$(BIN)/python benchmarks/growth.py --rows 1000000 5000000
	@$(BIN)/python benchmarks/s3.py
	@$(BIN)/python benchmarks/warehouse.py
	@$(BIN)/python benchmarks/steward.py

bench-peers: spark-jars ## Measure beside dbt, SQLMesh, dlt and PySpark, answers compared (an hour; in docs/benchmarks too)
	@$(BIN)/python benchmarks/compare.py --publish

lock: $(VENV)/.uv ## Settle the dependencies' versions anew, in uv.lock
	@$(UV) lock --upgrade

clean: ## Remove what these commands made, the environment too
	@rm -rf $(VENV) demo demo-s3 journey late benchmarks/out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The environment: made once, and again when the lock changes. `.installed` is what a user gets.

$(VENV)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "aisle needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/pip || $(BIN)/python -m ensurepip --default-pip > /dev/null
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.installed: $(VENV)/.uv pyproject.toml uv.lock
	@echo "Installing into $(VENV) …"
	@$(UV) sync --quiet --locked --inexact --no-dev
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.uv pyproject.toml uv.lock
	@echo "Installing into $(VENV) …"
	@$(UV) sync --quiet --locked --inexact
	@touch $@ $(VENV)/.installed

.PHONY: help demo demo-s3 journey late test test-spark test-browser browser spark-jars fuzz lint format snapshots bench bench-peers lock clean
