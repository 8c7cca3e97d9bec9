# Everything a newcomer needs: `make report`, `make test`, `make lab`. Each sets up what it needs first.
PYTHON ?= python3
FISCAL_YEAR ?= 2024
BRANCH ?= all
KPI ?= all
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHECKED := data/curated/validation.json

.DEFAULT_GOAL := help
.PHONY: help setup data report lab test test-windows lint bench bench-cluster bench-scale soak lock test-tools clean

help:
	@echo "make report   set up, build and check the data, write all reports (FISCAL_YEAR=2024 BRANCH=all KPI=all)"
	@echo "make lab      open JupyterLab on notebooks/00_explore.ipynb"
	@echo "make test     set up and run all tests      make lint   style checks"
	@echo "make test-windows   the command in the Windows build of Python, under Wine (Debian; 1.9 GB, some minutes)"
	@echo "make data     curate and validate only      make bench  measure batch and statistics"
	@echo "make soak     20 full batches in a row: nothing left behind, no growth, the same pages"
	@echo "make bench-scale   measure a report among 4,700 units beside one among 47"
	@echo "make lock     renew requirements.lock (needs uv)"

setup: $(READY)

# pip's own hash checking covers every package; the project itself is installed without asking the index again.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

data: $(CHECKED)

# Built and checked again only when a figure, a definition, an expectation or the library changed.
$(CHECKED): $(READY) $(wildcard data/raw/* expectations/* kenpo_lib/*.py kenpo_lib/*/*.py kenpo_lib/definitions/*) \
            $(wildcard kenpo_lib/definitions/*/*)
	$(BIN)/kenpo curate
	$(BIN)/kenpo validate

report: data
	$(BIN)/kenpo report --fiscal-year $(FISCAL_YEAR) --branch $(BRANCH) $(if $(KPI),--kpi $(KPI)) --quality

lab: data
	$(BIN)/jupyter lab --config=tools/jupyter_lab_config.py notebooks/00_explore.ipynb

# Chromium shows the finished pages to the tests. Where it cannot be installed, those tests say so (and fail in CI).
test-tools:
	@tools/install_test_tools.sh

test: $(READY) test-tools
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

# In .windows/, which takes 1.9 GB.
test-windows: $(READY)
	@tools/windows/install.sh
	$(BIN)/python -m pytest tests/windows $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

bench: data
	$(BIN)/python benchmarks/report_batch.py
	$(BIN)/python benchmarks/page_parts.py
	$(BIN)/python benchmarks/comparison_statistics.py

# Two workers of a Dask cluster against one; about ten minutes.
bench-cluster: data
	$(BIN)/python benchmarks/cluster.py

soak: data
	$(BIN)/python benchmarks/soak.py

# Makes 18 million rows and builds their store first, which takes its time and some GB of memory.
bench-scale: $(READY)
	$(BIN)/python benchmarks/scale.py

lock:
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate \
	  --python-version 3.11 --extra test pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) data/curated/*.parquet data/curated/*.json reports/[0-9]*
