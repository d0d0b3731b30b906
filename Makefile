# Two commands: `make demo` and `make test`. The first call makes an environment of its own in .venv, later ones install nothing.
# Another interpreter: make PYTHON=python3.12 test
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/installed

.PHONY: demo test fuzz check docs bench install clean

demo: $(STAMP)
	$(VENV)/bin/bakeoff demo

test: $(STAMP)
	scripts/test

fuzz: $(STAMP)
	FUZZ=10000 OMP_NUM_THREADS=1 $(VENV)/bin/pytest -n 2 tests/data/test_mutated.py

check: $(STAMP)
	scripts/check

docs: $(STAMP)
	scripts/docs

bench: $(STAMP)
	scripts/bench

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("bakeoff needs Python 3.11 or newer: make PYTHON=python3.12 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
