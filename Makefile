# Each target does its own set-up; `make demo` and `make test` are all one needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := libreoffice-calc python3-uno poppler-utils fonts-dejavu-core chromium
# One thread per process: the numbers are small, the machine is shared.
export OPENBLAS_NUM_THREADS ?= 2
export OMP_NUM_THREADS ?= 2

.PHONY: demo test lint types unit wheel soak bench bench-peer docs setup libreoffice clean

demo: setup libreoffice ## the whole round trip against a demo Plex server
	$(BIN)/plexsheet demo

test: setup libreoffice lint types unit wheel ## everything a change must pass

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "plexsheet needs Python 3.11 or newer; this is `$(PYTHON) --version`. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
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

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

unit:
	$(BIN)/python -m pytest -q -n 2 --dist loadgroup

wheel: ## builds the wheel and tries the installed one outside the checkout
	$(BIN)/python tests/smoke_wheel.py

soak: setup
	$(BIN)/python -m pytest -q tests/soak -p no:xdist --timeout 3600

bench: setup
	$(BIN)/python -m benchmarks

bench-peer: setup
	$(BIN)/python -m benchmarks.peer $(PEER)

docs: setup ## writes the generated parts of docs/
	$(BIN)/python -m plexsheet.cli.document docs

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache
