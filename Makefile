# Tapeline: `make run` and `make test` set up their own environment in .venv, from nothing, and are quick the second time.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint requirements.lock

# Modules are compiled once and kept inside the environment, also where Python is told to keep none: those of TensorFlow
# cost every process nine seconds otherwise.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/pycache

.DEFAULT_GOAL := help
.PHONY: help run test lint bench notebooks clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run ## train and judge finance/credit-default on its sample; TASK=... for another task
	@$(BIN)/tapeline run $(or $(TASK),finance/credit-default)

test: .venv/.test ## run the tests, two files at a time
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: .venv/.test ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: .venv/.bench ## measure speed beside Keras fit and PyTorch; writes benchmarks/results
	@$(BIN)/python -m benchmarks

notebooks: .venv/.notebooks ## open the notebooks on this machine
	@$(BIN)/jupyter lab --ip 127.0.0.1 notebooks

clean: ## remove the environment; recorded runs stay
	rm -rf .venv

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Tapeline needs Python 3.11 to 3.13; choose one with: make PYTHON=python3.12" >&2; exit 2; }
	@echo "setting up .venv (a few minutes the first time)" >&2
	@$(PYTHON) -m venv --clear .venv
	@touch $@

.venv/.run: .venv/.python pyproject.toml requirements.lock
	@$(INSTALL) --editable '.[samples]'
	@touch $@

.venv/.test: .venv/.run
	@$(INSTALL) --editable '.[samples,test]'
	@touch $@

.venv/.bench: .venv/.test
	@$(INSTALL) --editable '.[samples,test,bench]'
	@touch $@

.venv/.notebooks: .venv/.run
	@$(INSTALL) --editable '.[samples,notebooks]'
	@touch $@
