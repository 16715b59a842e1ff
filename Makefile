# Everything a developer or a first visitor does. `make` or `make help` lists it.
# Needs make and Python 3.11 or newer; the rest is installed into .venv, once, from the locks.
.DEFAULT_GOAL := help
.PHONY: help demo run test test-long check newest coverage bench parity peers faults fuzz doctor smoke asyncapi openapi vendor wheel lock clean venv venv-dev backup restore export import cluster cluster-faults reliability mutants soak

PY := .venv/bin/python
# Processes start by the dozen here; where this is set, each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

PYTEST_ARGS ?=
BENCH_ARGS ?=

help:  ## list what can be done here
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*##[[:space:]]*/\1\t/' | while IFS="	" read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

demo: venv  ## everything on this machine against simulated exchanges, with a live view; Ctrl-C ends it
	@exec $(PY) -m deploy.launch demo

run: venv  ## everything on this machine against the real exchanges (settings: .env or environment)
	@exec $(PY) -m deploy.launch run

CLUSTER_ARGS ?=
cluster: venv  ## three servers of the bus and every part twice on this machine (CLUSTER_ARGS=run for the real exchanges)
	@exec $(PY) -m deploy.cluster $(CLUSTER_ARGS)

cluster-faults: venv  ## the same under load, with servers and parts killed, restarted, scaled; every promise judged
	@exec $(PY) -m deploy.cluster --faults $(CLUSTER_ARGS)

test: venv-dev  ## run the tests (PYTEST_ARGS="-k book" for some of them; COMPILED=no without what is compiled)
	@$(PY) -m pytest -n 3 --dist loadgroup --max-worker-restart 0 $(PYTEST_ARGS)

test-long: venv-dev  ## run the tests that take minutes: floods, kills under load
	@$(PY) -m pytest -m long $(PYTEST_ARGS)

check: venv-dev  ## lint, format, types and the rules of who may import whom
	@echo "ruff check";  $(PY) -m ruff check .
	@echo "ruff format"; $(PY) -m ruff format --check .
	@echo "types";       $(PY) -m basedpyright --threads 2
	@echo "imports";     $(PY) .venv/bin/lint-imports --no-logo

newest: venv-dev  ## where a newer Python than that of .venv is here: import everything and ask a demo with it
	@sh .ci/newest

coverage: venv-dev  ## run the tests and show what they do not reach
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -q $(PYTEST_ARGS)
	@$(PY) -m coverage combine -q
	@$(PY) -m coverage report

bench: venv-dev  ## measure the hot paths beside their references (BENCH_ARGS="chain --turns 3" for a part)
	@$(PY) -m tests.bench $(BENCH_ARGS)

parity: venv-dev  ## sessions on live paper are recorded and backtested: 0 differences (PARITY_ARGS="--seconds 86400 grid")
	@$(PY) -m tests.parity $(PARITY_ARGS)

peers: venv-dev  ## let other people's clients read the simulated exchanges, and print what they agreed with
	@PEERS=all $(PY) -m pytest -q -n 3 --dist loadgroup tests/peers $(PYTEST_ARGS)

RUNS ?= 100000
FAULTS_ARGS ?=
faults: venv-dev  ## play seeded runs of orders with several faults each over paper, Binance, Bybit, Indodax (RUNS=1000 for fewer)
	@$(PY) -m tests.consumers.execution.seeded --runs $(RUNS) $(FAULTS_ARGS)

FUZZ ?= 1000000
FUZZ_ARGS ?=
fuzz: venv-dev  ## random operations on all that is compiled, under sanitizers (FUZZ=10000 for fewer, FUZZ_ARGS=writing)
	@$(PY) -m tests.fuzz --operations $(FUZZ) $(FUZZ_ARGS)

RELIABILITY_ARGS ?=
reliability: venv-dev  ## the twenty promises, one after the other, with their figures (RELIABILITY_ARGS="--only 3,7 --short")
	@$(PY) -m tests.reliability $(RELIABILITY_ARGS)

MUTANTS_ARGS ?=
mutants: venv-dev  ## small changes to the cores: how many their own tests notice (MUTANTS_ARGS="book whales" for some)
	@$(PY) -m tests.mutants $(MUTANTS_ARGS)

SECONDS ?= 3600
SOAK_ARGS ?=
soak: venv-dev  ## everything on simulated exchanges at 5x for an hour: no part's memory grows (SECONDS=300 for less)
	@$(PY) -m tests.soak --seconds $(SECONDS) $(SOAK_ARGS)

DOCTOR_ARGS ?=
doctor: venv  ## name what is wrong with the running copy, the system of the settings, or this machine, each with its fix
	@$(PY) -m runtime.doctor $(DOCTOR_ARGS)

BACKUP_ARGS ?=
backup: venv  ## save streams, buckets and documents while they are in use (TO=backups/monday, BACKUP_ARGS=--with-keys)
	@$(PY) -m deploy.backup save $(if $(TO),--to "$(TO)") $(BACKUP_ARGS)

restore: venv  ## make all of a backup again where nothing is (FROM=backups/monday, BACKUP_ARGS=--replace)
	@$(PY) -m deploy.backup restore $(if $(FROM),--from "$(FROM)") $(BACKUP_ARGS)

export: venv  ## save documents only (TO=documents), from the embedded store or MONGO_URL
	@$(PY) -m deploy.backup export $(if $(TO),--to "$(TO)") $(BACKUP_ARGS)

import: venv  ## put exported documents into MONGO_URL, or the embedded store where it is not set (FROM=documents)
	@$(PY) -m deploy.backup import $(if $(FROM),--from "$(FROM)") $(BACKUP_ARGS)

SMOKE_ARGS ?=
smoke: venv-dev  ## ask a running API one question of each kind (URL=https://…, KEY=… where it needs one)
	@$(PY) -m tests.smoke $(if $(KEY),--key=$(KEY)) $(SMOKE_ARGS) $(URL)

asyncapi: venv  ## write the bus's AsyncAPI document
	@$(PY) -m runtime.app.asyncapi

openapi: venv  ## write the HTTP API's OpenAPI document (refused where it breaks what clients rely on)
	@$(PY) -m api.describe

vendor: venv  ## fetch the pages' scripts again (needs npm; VENDOR_ARGS=--accept for versions that were changed)
	@$(PY) -m deploy.vendor $(VENDOR_ARGS)

wheel: venv-dev  ## build a wheel into dist/, with what is compiled where a C compiler is
	@$(PY) -m hatchling build -t wheel

# The packages and hashes only: no lock records where a package came from.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --prerelease if-necessary-or-explicit $(LOCK_ARGS)

lock:  ## solve the dependencies of pyproject.toml again into the three locks (needs uv; LOCK_ARGS=--upgrade for newer ones)
	@command -v uv >/dev/null || { echo "make lock needs uv on the path"; exit 1; }
	$(LOCK) pyproject.toml --extra embedded -o requirements.lock
	$(LOCK) pyproject.toml --extra embedded --group dev -c requirements.lock -o requirements-dev.lock
	$(LOCK) --group pyproject.toml:documents -c requirements.lock -o requirements-documents.lock

clean:  ## remove what was built here: .venv, caches, reports (never your data)
	@rm -rf .venv .venv-newest .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov .bench build dist *.egg-info
	@find contracts producers runtime \( -name '*.abi3.so' -o -name '.building-*' \) -prune -exec rm -rf {} +
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@sh deploy/venv.sh requirements.lock

venv-dev:
	@sh deploy/venv.sh requirements-dev.lock
