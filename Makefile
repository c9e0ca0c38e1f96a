# The front of everything. `make` alone says what there is; each target does all of its own set-up.
.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint format lock pages docs bench soak wheel clean
SHELL := /bin/sh

python := .venv/bin/python
pytest := $(python) -m pytest --numprocesses 2 --dist worksteal -rs
SOAK_MINUTES ?= 30
BENCH ?= send.py --mebibytes 4096 --rounds 2; pull.py --mebibytes 4096 --rounds 2; small_files.py; door.py; \
	long_line.py; memory.py --mebibytes 4096; growth.py; envelope.py; pipeline.py; validate.py; hl7.py; fhir_records.py; \
	scan.py --mebibytes 24; exposure.py --mothers 140000 --transfers 6000; monthly.py --submitters 20 --births 100000
# Hundreds of short processes are started: compiled modules are kept, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=

help:  ## this list
	@printf 'Swaddle. Two commands to start with: make demo, make test.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo:  ## the whole story on this machine, in a minute and a half (ARGS="--data ../shared/data" and so on)
	@tools/venv run
	@.venv/bin/swaddle demo $(ARGS)

test:  ## the quick tests: every promise, minutes
	@tools/venv test
	@$(pytest) -m 'not slow' $(ARGS)

test-all:  ## every test: real services, faults, fuzzers a minute for each parser that faces the network
	@tools/debian
	@tools/venv test
	@tools/venv audit
	@tools/clients
	@$(pytest) $(ARGS)

lint:  ## ruff, mypy --strict, the layers
	@tools/venv test
	@.venv/bin/ruff check --quiet . && echo 'ruff: clean'
	@.venv/bin/ruff format --quiet --check . && echo 'format: clean'
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo --no-cache || { echo 'the layers do not hold'; exit 1; }

format:  ## let ruff write the files as it wants them
	@tools/venv test
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format --quiet .

lock:  ## resolve pyproject.toml into requirements/*.txt anew (UPGRADE=1 for newer versions)
	@tools/venv test
	@tools/lock

pages:  ## write the generated pages of docs/ anew (errors, commands, custody events)
	@tools/venv test
	@$(python) tools/pages.py

docs:  ## the documentation as HTML, in docs/_build
	@tools/venv docs
	@.venv/bin/sphinx-build --quiet --fail-on-warning --keep-going docs docs/_build && echo 'docs/_build/index.html'

bench:  ## the table of speed and cost beside its peers (BENCH="send.py --mebibytes 512": one row)
	@tools/debian
	@tools/venv test
	@tools/clients
	@printf '%s\n' '$(BENCH)' | tr ';' '\n' | while read -r row; do \
		echo "== $$row"; $(python) bench/$$row </dev/null || exit 1; done

soak:  ## the story again and again for SOAK_MINUTES (default 30)
	@tools/venv test
	@$(python) tools/soak.py $(SOAK_MINUTES)

wheel:  ## build dist/*.whl
	@tools/venv test
	@$(python) -m build --wheel --no-isolation --outdir dist .

clean:  ## forget .venv and every cache
	@rm -rf .venv dist docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
