# Each target does its own set-up; `make demo` and `make test` are all one needs.
# `make demo` needs Python only; the tests also use LibreOffice and Chromium.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := libreoffice-calc python3-uno poppler-utils fonts-dejavu-core chromium
VENV_PACKAGE = python`$(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'`-venv
# One thread per process: the numbers are small, the machine is shared.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
# Python compiles a module once, not in each of the processes that tests start.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo programs test quick golden release lock site lint types unit wheel soak fuzz bench bench-peer docs pictures setup libreoffice clean

demo: setup ## the whole round trip against a demo Plex server
	$(BIN)/plexsheet demo

test: setup libreoffice programs lint types unit wheel ## everything a change must pass

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null \
		|| { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name yours: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "plexsheet needs Python 3.11 or newer; this is `$(PYTHON) --version`. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		[ "`id -u`" = 0 ] && command -v apt-get >/dev/null && echo "Installing $(VENV_PACKAGE) ..." \
		&& apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(VENV_PACKAGE) >/dev/null; } \
		|| { echo "This Python has no venv. Try: sudo apt-get install $(VENV_PACKAGE), then make $(MAKECMDGOALS) again."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

libreoffice:
	@if command -v soffice >/dev/null && /usr/bin/python3 -c 'import uno' 2>/dev/null && command -v pdftoppm >/dev/null \
		&& { command -v chromium || command -v google-chrome; } >/dev/null; then :; \
	elif [ "`id -u`" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing LibreOffice and Chromium (for the tests that use files as a person would) ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES) >/dev/null; \
	else echo "LibreOffice or Chromium is not here; tests that need it are skipped. To have it: sudo apt-get install $(PACKAGES)"; fi

programs: ## Gnumeric, SheetJS and ExcelJS, whose files the tests read
	@if command -v ssconvert >/dev/null; then :; \
	elif [ "`id -u`" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Gnumeric (for the tests that read its files) ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gnumeric >/dev/null; \
	else echo "Gnumeric is not here; tests that need it are skipped. To have it: sudo apt-get install gnumeric"; fi
	@if [ -d tests/programs/node_modules/exceljs ]; then :; \
	elif command -v npm >/dev/null; then \
		echo "Installing SheetJS and ExcelJS (for the tests that read their files) ..."; \
		npm install --prefix tests/programs --no-package-lock --no-audit --no-fund --silent \
			--fetch-retries=1 --fetch-timeout=60000 || true; \
	else echo "npm is not here; tests of SheetJS and ExcelJS are skipped."; fi

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell README.md CHANGELOG.md docs plexsheet templates workbooks/README.md

types: setup
	$(BIN)/mypy

quick: setup lint types ## lint, types and the tests that need neither a server nor a program
	$(BIN)/python -m pytest -q -n 2 --dist worksteal tests/unit tests/test_layers.py plexsheet

unit: setup
	$(BIN)/python -m pytest -q -n 6 --dist loadgroup $(if $(PLEXSHEET_THOROUGH),,--variants 1)

wheel: setup ## builds dist/*.whl and tries it, installed, outside the checkout
	$(BIN)/python -m tests.tools.release --here

release: setup ## builds sdist and wheel, proves them in every Python here; VERSION=1.2.3 sets it
	$(BIN)/python -m tests.tools.release $(if $(VERSION),--version $(VERSION))

lock: setup ## renews requirements.lock: the newest of every dependency
	$(BIN)/uv pip compile --quiet --universal --upgrade --extra dev --no-annotate --no-header \
		--output-file requirements.lock pyproject.toml

site: setup ## the documentation as a site, in site/
	$(BIN)/python -m tests.tools.site

soak: setup ## ten minutes of each long test; PLEXSHEET_SOAK_S=3600 for an hour
	PLEXSHEET_SOAK_S=$(or $(PLEXSHEET_SOAK_S),600) $(BIN)/python -m pytest -q tests/soak -p no:xdist --timeout 3600

fuzz: setup ## bytes nobody meant as a workbook, for reader and validator; SECONDS=600 for longer
	$(BIN)/python -m tests.fuzz $(or $(SECONDS),60)

bench: setup
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.inference_speed

bench-peer: setup
	$(BIN)/python -m benchmarks.peer

golden: setup ## writes tests/golden anew; look at the difference before you commit it
	$(BIN)/python -m tests.golden

docs: setup ## writes the generated parts of docs/
	$(BIN)/python -m tests.documentation docs
	$(BIN)/python -m tests.tools.manual

pictures: setup libreoffice ## renders docs/images anew, from real exports and a real session
	$(BIN)/python -m tests.pictures
	$(BIN)/python -m tests.terminal_picture

clean:
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache
