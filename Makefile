# What one does here: `make run`, `make test`, `make check`, `make faults`, `make bench`.
# Everything lands in .venv, api/static and .data; `make clean` removes the first two.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PIP_NO_INPUT := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test check faults bench clean

help:
	@echo 'make run    start Palimpsest with a demo practice (PALIMPSEST_PORT, PALIMPSEST_DATA_DIR, …)'
	@echo 'make test   everything that is checked: style, types, imports, tests'
	@echo 'make check  style, types and imports only'
	@echo 'make faults kill, starve and cut everything as often as the figures are stated for (20 min)'
	@echo 'make bench  measure appends and audited reads'
	@echo 'make setup  environment and pages only;  make clean  remove them (never the data)'

# --- environment -----------------------------------------------------------------------------

# The development lock holds the runtime lock and more: one pip run serves every target.
.venv/.locked: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Palimpsest needs Python 3.11 or newer as "$(PYTHON)"; name another: make PYTHON=python3.12 …' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo 'Python has no venv module; on Debian or Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@echo 'Making the environment in .venv (about a minute) …'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

# No build isolation: the backend and Node come from the lock too, checked by hash.
.venv/.installed: .venv/.locked pyproject.toml deploy/build_web.py
	@echo 'Installing Palimpsest and building its pages …'
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# Building again costs nothing when no page source changed.
setup: .venv/.installed
	@$(BIN)/python deploy/build_web.py

# --- use ---------------------------------------------------------------------------------------

# exec: Ctrl-C and SIGTERM reach the program itself.
run: setup
	@exec $(BIN)/palimpsest serve

bench: setup
	@$(BIN)/palimpsest bench append --json
	@$(BIN)/palimpsest bench read --json

# --- checks ------------------------------------------------------------------------------------

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Timing and fault tests come after the others, alone. Exit code 5: none of that kind exist.
test: check
	@$(BIN)/pytest -n auto -m 'not serial'
	@$(BIN)/pytest -m serial || [ $$? -eq 5 ]

# The same tests of faults, and of tampering, with longer counts; the figures stand in .build/faults.json, too.
faults: setup
	@PALIMPSEST_TEST_FAULTS=long PALIMPSEST_TEST_FAULTS_JSON=.build/faults.json \
	  $(BIN)/pytest -v tests/faults tests/record/test_tamper.py

clean:
	rm -rf .venv .build build dist api/static api/web/node_modules .mypy_cache .pytest_cache \
	  .ruff_cache .import_linter_cache .hypothesis
