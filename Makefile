.DEFAULT_GOAL := help
.PHONY: help run test check bench faults screens editor tools
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# A set is installed again only when its lock's content changes; the locks are whole, hence --no-deps.
RUNTIME := $(VENV)/.runtime-$(shell cat requirements/base.txt requirements/demo.txt | cksum | cut -d' ' -f1)
# Tests wait for servers and browsers too, so there are half as many processes again as cores.
JOBS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
TOOLS := $(VENV)/.tools-$(shell cat requirements/*.txt | cksum | cut -d' ' -f1)
# Fetched where there is a network; without it everything works but the visual email editor.
EDITOR := editor/node_modules/.package-lock.json

help: ## show this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 16

run: $(RUNTIME) $(EDITOR) ## start everything and show the address and login; Ctrl-C stops it
	@exec $(BIN)/python manage.py up $(ARGS)

test: $(TOOLS) $(EDITOR) ## run the whole suite in parallel; ARGS="tests/contacts -k name" runs a part
	@$(BIN)/python -m pytest -n $(JOBS) --maxprocesses 8 $(ARGS)

check: $(TOOLS) ## format, lint, types, architecture, templates, migrations
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@test ! -d templates || $(BIN)/djlint templates --lint --quiet
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check --fail-level WARNING

bench: $(TOOLS) ## measure one figure beside its baseline: NAME=intake_single (see benchmarks/)
	@test -n "$(NAME)" || { echo "Name one: make bench NAME=$$(ls benchmarks | sed -n 's/\.py$$//p' | grep -v -e __init__ -e harness | paste -sd'|')"; exit 2; }
	@$(BIN)/python -m benchmarks.$(NAME) $(ARGS)

faults: $(TOOLS) ## try every fault, print what held; ARGS="F09 S14" tries some
	@$(BIN)/python -m scripts.faults $(ARGS)

screens: $(TOOLS) ## draw the back office's pages at 1440 and 390 pixels into screens/
	@$(BIN)/python -m scripts.screens $(ARGS)

tools: $(TOOLS) $(EDITOR)

editor: $(EDITOR) ## fetch the visual email editor's files (npm), as run and test do

$(EDITOR): editor/package-lock.json | $(BIN)/python
	@$(BIN)/python -m scripts.editor || true

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): | $(BIN)/python
	@echo "Installing what Segue needs to run ..."
	@$(PIP) -r requirements/base.txt -r requirements/demo.txt
	@rm -f $(VENV)/.runtime-* && touch $@

$(TOOLS): $(RUNTIME) | $(BIN)/python
	@echo "Installing what building and testing need ..."
	@$(PIP) -r requirements/amazon.txt -r requirements/dev.txt
	@rm -f $(VENV)/.tools-* && touch $@
