# Everything a newcomer needs; each command prepares what it uses, in .venv, once.
PYTHON       ?= python3
COLAB_PYTHON ?= python3.13
TORCH        ?= torch
UNITS        ?=
BENCH        ?= benchmarks/mine.json

VENV     := .venv
COLAB    := .venv-colab
NBGRADER := .venv-nbgrader
BIN      := $(VENV)/bin
PIP      := -m pip install --quiet --disable-pip-version-check
INSTALL  := $(BIN)/python $(PIP) --constraint constraints.txt

# Notebooks run as on any machine: on the CPU, with none of the settings, kernels and start-up files of this one.  One
# thread for NumPy's products: on a busy machine two of them wait for each other, and chapter 09 takes ten times as long.
ALIKE := env -u GEMMA_EDU_SEED -u JUPYTER_PATH -u MPLBACKEND -u PYTHONPATH -u PYTHONSTARTUP OPENBLAS_NUM_THREADS=1 \
         IPYTHONDIR=$(CURDIR)/$(VENV)/ipython JAX_PLATFORMS=cpu PYDEVD_DISABLE_FILE_VALIDATION=1 TF_CPP_MIN_LOG_LEVEL=3
NBVAL := -m pytest --nbval-current-env --nbval-cell-timeout 600

.PHONY: help run test test-real notebooks lint parity bench nbgrader colab-check lab picture clean
.NOTPARALLEL:

help:
	@echo 'make run          install the package into .venv and let the bundled tiny Gemma write'
	@echo 'make lab          open the course in JupyterLab'
	@echo 'make test         lint, and run every notebook, and every test that needs no PyTorch'
	@echo 'make notebooks    build the notebooks from their sources; UNITS="05 06" builds these alone'
	@echo 'make parity       compare live with transformers; TORCH="torch==2.13.0" chooses the build of PyTorch'
	@echo 'make test-real    download a Gemma 3 270M (250 MB), and compare it with transformers; TORCH as for parity'
	@echo 'make bench        measure Gemma 2B here beside transformers (minutes, 11 GB of memory), into $(BENCH)'
	@echo 'make nbgrader     let nbgrader make every assignment and grade it, in $(NBGRADER)'
	@echo 'make colab-check  run the chapters with the versions that Colab has, in $(COLAB), on $(COLAB_PYTHON)'
	@echo 'make lint         look for slips without running anything'
	@echo 'make picture      draw docs/picture.png again'
	@echo 'make clean        remove the .venvs and caches (runs/ stays)'
	@echo
	@echo 'PYTHON=python3.12 chooses the Python that .venv is made of (now: $(PYTHON)); it needs 3.11 or newer.'

run: $(VENV)/.core
	@$(BIN)/gemma-edu generate --tokens 120 --temperature 0.7

test: lint
	$(ALIKE) $(BIN)/python -m pytest
	$(ALIKE) $(BIN)/python $(NBVAL) --nbval chapters solutions
	$(ALIKE) $(BIN)/python $(NBVAL) --nbval-lax exercises

notebooks: $(VENV)/.lab
	$(ALIKE) $(BIN)/python -m gemma_edu.course.build $(UNITS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/lint-imports

parity: $(VENV)/.test
	$(INSTALL) $(TORCH)
	$(INSTALL) --editable '.[parity]'
	$(BIN)/python -m pytest tests/parity

test-real: $(VENV)/.test
	$(INSTALL) $(TORCH)
	$(INSTALL) --editable '.[parity,gemma3-270m]'
	$(BIN)/python -m pytest tests/real

bench: $(VENV)/.test
	$(INSTALL) $(TORCH)
	$(INSTALL) --editable '.[parity]'
	$(BIN)/gemma-edu bench --dtype float32 bfloat16 int8 --numpy --peers --out $(BENCH)
	$(BIN)/python -m gemma_edu.course.figures.speed $(BENCH)
	$(BIN)/python -m gemma_edu.lab.bench.training $(BENCH:.json=-training.json)

nbgrader: $(NBGRADER)/.made
	$(ALIKE) $(NBGRADER)/bin/python -m pytest tests/nbgrader

colab-check: $(COLAB)/.made
	$(ALIKE) $(COLAB)/bin/python $(NBVAL) --nbval chapters

lab: $(VENV)/.lab
	JUPYTER_PREFER_ENV_PATH=1 $(BIN)/jupyter lab chapters/00_start_here.ipynb

picture: $(VENV)/.lab
	$(BIN)/python docs/picture.py

clean:
	rm -rf $(VENV) $(COLAB) $(NBGRADER) build dist .pytest_cache .ruff_cache .import_linter_cache *.egg-info
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

$(NBGRADER)/.made: pyproject.toml constraints.txt
	@echo 'Installing nbgrader into $(NBGRADER): minutes, once.'
	@$(PYTHON) -m venv $(NBGRADER)
	@$(NBGRADER)/bin/python $(PIP) --constraint constraints.txt nbgrader pytest --editable '.[course]'
	@touch $@

$(COLAB)/.made: pyproject.toml colab.txt
	@echo 'Installing what Colab has into $(COLAB), and then the package, which must leave all of it as it is.'
	@$(COLAB_PYTHON) -m venv --clear $(COLAB) || { \
	  echo "Colab runs Python 3.13; say where one is: make colab-check COLAB_PYTHON=/path/to/python3.13"; exit 1; } >&2
	@$(COLAB)/bin/python $(PIP) --requirement colab.txt
	@$(COLAB)/bin/python $(PIP) --constraint colab.txt nbval --editable '.[course]'
	@touch $@
