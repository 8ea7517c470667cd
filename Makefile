# Each target makes or refreshes .venv by itself: `make book` and `make test` are all that a new machine needs.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
SHEETS := notebooks/*.ipynb notebooks/exercises/*/*.ipynb
BOAVIZTA := _build/boavizta

.DEFAULT_GOAL := help
.PHONY: help book test lab format bench boavizta contract lock clean

help:
	@echo 'make book      build the web book into _build/html'
	@echo 'make test      check style, library, data, chapters and exercise sheets'
	@echo 'make lab       open the notebooks in JupyterLab'
	@echo 'make format    format the code and strip the outputs of the notebooks'
	@echo 'make bench     print how fast the library is'
	@echo 'make boavizta  start BoaviztAPI on this machine and print its address'
	@echo 'make contract  check the recorded answers of BoaviztAPI against BoaviztAPI'
	@echo 'make lock      renew requirements.txt from pyproject.toml'
	@echo 'make clean     remove everything that was built, and .venv'

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Counting Watts needs Python 3.11 or newer; try make PYTHON=python3.13")'
	$(PYTHON) -m venv .venv
	@# uv installs the lock some ten times faster than pip; where it cannot be had, pip does the same work.
	$(PIP) uv && $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.txt || $(PIP) -r requirements.txt
	@touch $@

# Sphinx warns about a page only when it reads it: after a failed build every page is read again.
book: $(STAMP)
	@start=$$(date +%s) && \
	{ $(BIN)/jupyter-book build . -n -W --keep-going || { rm -rf _build/.doctrees; exit 1; }; } && \
	echo "Built in $$(($$(date +%s) - start)) seconds. Open _build/html/index.html"

test: $(STAMP)
	@mkdir -p _build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --doctest-modules --cov --cov-report=term greenlib tests
	$(BIN)/python -m pytest --nbval-lax -n auto --dist loadscope $(SHEETS)

lab: $(STAMP)
	$(BIN)/jupyter lab --notebook-dir=notebooks

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/jupyter nbconvert --clear-output --inplace --log-level=WARN $(SHEETS)

bench: $(STAMP)
	$(BIN)/python -m pytest --benchmark-only -o python_files='bench_*.py' tests/bench

# BoaviztAPI is free software under another licence (AGPL): it has an environment of its own and is asked over HTTP.
$(BOAVIZTA)/.installed: $(STAMP) tests/boavizta_requirements.txt
	$(PYTHON) -m venv $(BOAVIZTA)
	$(BIN)/uv pip install --quiet --python $(BOAVIZTA)/bin/python -r tests/boavizta_requirements.txt || \
		$(BOAVIZTA)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/boavizta_requirements.txt
	@touch $@

boavizta: $(BOAVIZTA)/.installed
	@$(BIN)/python tests/serve_boavizta.py $(BOAVIZTA)/bin/python

contract: $(BOAVIZTA)/.installed
	$(BIN)/python tests/serve_boavizta.py $(BOAVIZTA)/bin/python \
		$(BIN)/python -m pytest tests/test_contract_boavizta.py

# The lock holds for Linux, macOS and Windows, and for every Python from 3.11 on; `-e .` installs greenlib itself.
lock: $(STAMP)
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --no-header \
		--no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.txt pyproject.toml
	echo '-e .' >> requirements.txt

clean:
	rm -rf _build .venv greenlib.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
