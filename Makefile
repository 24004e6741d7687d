# make demo   set up, run the whole chain on simulated showers, print where the report is
# make test   set up, run every test
# make lint   set up, check style, types and formatting
# make benchmark   measure the data path beside its peers (QUICK=1: a few minutes, to see that it works)
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test lint benchmark clean-demo

help:
	@sed -n 's/^# //p' Makefile

setup: $(READY)

$(READY): setup.cfg pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv: a few minutes"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(READY)

demo: $(READY)
	$(MAKE) --file examples/demo.mk --jobs 2 BIN=$(BIN)

clean-demo:
	rm -rf demo

test: $(READY)
	$(BIN)/pytest --mpl -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: $(READY)
	$(BIN)/python benchmarks/data_path/run.py $(if $(QUICK),--quick)
