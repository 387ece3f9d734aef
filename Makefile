# Everything a newcomer needs; each command prepares what it uses, in .venv, once.
PYTHON ?= python3
TORCH  ?= torch

VENV    := .venv
BIN     := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help run test lint parity lab picture clean
.NOTPARALLEL:

help:
	@echo 'make run       install the package into .venv and let the bundled tiny Gemma write'
	@echo 'make test      lint, and run every test that needs no PyTorch'
	@echo 'make parity    compare live with transformers; TORCH="torch==2.13.0" chooses the build of PyTorch'
	@echo 'make lab       open JupyterLab'
	@echo 'make lint      look for slips without running anything'
	@echo 'make picture   draw docs/picture.png again'
	@echo 'make clean     remove .venv and caches (runs/ stays)'
	@echo
	@echo 'PYTHON=python3.12 chooses the Python that .venv is made of (now: $(PYTHON)); it needs 3.11 or newer.'

run: $(VENV)/.core
	@$(BIN)/gemma-edu generate --tokens 120 --temperature 0.7

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/lint-imports

parity: $(VENV)/.test
	$(INSTALL) $(TORCH)
	$(INSTALL) --editable '.[parity]'
	$(BIN)/python -m pytest tests/parity

lab: $(VENV)/.lab
	$(BIN)/jupyter lab

picture: $(VENV)/.lab
	$(BIN)/python docs/picture.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .import_linter_cache *.egg-info
	find gemma_edu tests docs -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.core: $(VENV)/.made pyproject.toml constraints.txt
	@echo 'Installing gemma-edu into $(VENV): a minute or two, once.'
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.test $(VENV)/.lab: $(VENV)/.%: $(VENV)/.made pyproject.toml constraints.txt
	@echo 'Installing gemma-edu with what "make $*" needs into $(VENV): a minute or two, once.'
	@$(INSTALL) --editable '.[$*]'
	@touch $@

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'gemma-edu needs Python 3.11 or newer. PYTHON=$(PYTHON) says of itself:'; \
	  $(PYTHON) --version 2>&1 | sed 's/^/    /'; \
	  echo 'Give one that is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12'; exit 1; } >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@
