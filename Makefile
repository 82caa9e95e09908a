# make run     serve the app on http://localhost:8501
# make test    all tests, browser included
# make check   formatting, lint, types, the direction of the imports, links, doctests
# make bench   the speed figures, each beside its target
# Also: make format, make lock, make dev (reloads on edits), make clean

PYTHON ?= python3
VENV ?= .venv
ADDRESS ?= localhost
PORT ?= 8501
ARGS ?=

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-from-lock
CODE := app.py fmviz pages tests bench tools

.PHONY: run dev test check format bench load mutants lock clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# //p' Makefile | head -5

$(VENV): $(STAMP)

# torch==X.Y.Z pinned exactly comes first: with the pin in the lock nothing asks for a newer build.
$(STAMP): requirements.lock requirements-alone.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || { echo "Creating $(VENV)"; $(PYTHON) -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }; }
	@echo "Installing from requirements.lock"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -r requirements-alone.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)
	@echo "fmviz is at http://$(ADDRESS):$(PORT) (Ctrl-C stops it)"
	@exec $(BIN)/streamlit run app.py --server.address=$(ADDRESS) --server.port=$(PORT) $(ARGS)

dev: $(STAMP)
	@exec $(BIN)/streamlit run app.py --server.address=$(ADDRESS) --server.port=$(PORT) \
		--server.fileWatcherType=auto --server.runOnSave=true --client.toolbarMode=developer --client.showErrorDetails=full $(ARGS)

# Finds a Chromium (CHROMIUM, PATH, Playwright's own, else apt as root), or fails and says how to get one.
# Two processes at a time: with more the tests that watch a browser or a helper process run into their time limits.
# Without the browser the tests of a file share what they compute and train, so one process has them all.
# Both halves run even if the first fails. Status 5: ARGS chose none here.
test: $(STAMP)
	@chromium=$$($(BIN)/python tools/find_chromium.py --install) || exit 1; \
		$(BIN)/python -m pytest -m "not browser" --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(ARGS); quiet=$$?; \
		CHROMIUM="$$chromium" $(BIN)/python -m pytest -m browser --numprocesses=2 $(ARGS); shown=$$?; \
		test "$$shown$$quiet" != 55 || exit 5; \
		for status in $$shown $$quiet; do test $$status = 0 || test $$status = 5 || exit $$status; done

# All run whatever the others say.
check: $(STAMP)
	@failed=0; \
		$(BIN)/ruff format --check $(wildcard $(CODE)) || failed=1; \
		$(BIN)/ruff check --output-format=concise $(wildcard $(CODE)) || failed=1; \
		$(BIN)/mypy || failed=1; \
		$(BIN)/lint-imports --no-logo || failed=1; \
		$(BIN)/python tools/check_documents.py || failed=1; \
		$(BIN)/python -m pytest --doctest-modules -q fmviz || failed=1; \
		exit $$failed

format: $(STAMP)
	$(BIN)/ruff check --fix-only --exit-zero $(wildcard $(CODE))
	$(BIN)/ruff format $(wildcard $(CODE))

bench: $(STAMP)
	@chromium=$$($(BIN)/python tools/find_chromium.py --install) || exit 1; \
		CHROMIUM="$$chromium" OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m bench $(ARGS)

# A class at work; ARGS="--classes 50:10 --seconds 90" for one row of the table.
load: $(STAMP)
	@$(BIN)/python -m tools.load $(ARGS)

# Plants faults and lists those that no test notices; ARGS="--count 20 --seed 1" for a smaller sample,
# ARGS=--control to see that no test fails without a fault.
mutants: $(STAMP)
	@$(BIN)/python tools/mutants.py $(ARGS)

lock:
	$(PYTHON) tools/lock.py $(ARGS)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .mutants_cache
