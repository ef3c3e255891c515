# make alone lists the targets. Everything runs in .venv, which is made when it is missing.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install test demo bench chaos run worker lint format types clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

# The stamp stands for "what the requirements say is installed".
$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(INSTALLED)

install: $(INSTALLED) ## make .venv with all that development needs

test: $(INSTALLED) ## all tests on SQLite and PostgreSQL, and in the browser where Chromium is found
	@$(BIN)/python -m tests.run $(ARGS)

demo: $(INSTALLED) ## sample merchants, pretend stores, web and worker: watch numbers arrive
	@$(BIN)/python -m tests.demo $(ARGS)

bench: $(INSTALLED) ## figures of speed, with the floors in the same run
	@$(BIN)/python -m tests.bench $(ARGS)

chaos: $(INSTALLED) ## kills and faults, counted by the pretend stores' own book
	@$(BIN)/python -m tests.bench.chaos $(ARGS)

run: $(INSTALLED) ## the web server for development (http://127.0.0.1:8000)
	@DEBUG=$${DEBUG:-true} $(BIN)/python manage.py migrate --verbosity 0
	@DEBUG=$${DEBUG:-true} $(BIN)/python manage.py runserver $(ARGS)

worker: $(INSTALLED) ## the background worker
	@DEBUG=$${DEBUG:-true} $(BIN)/python manage.py worker $(ARGS)

lint: $(INSTALLED) ## ruff: rules and format
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

format: $(INSTALLED) ## let ruff put the code into shape
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

types: $(INSTALLED) ## mypy
	@$(BIN)/python -m mypy

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis staticfiles
