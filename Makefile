.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench clean
SHELL := /bin/bash
VENV := .venv
RUN := $(VENV)/bin

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | column -t -s $$'\t'

$(VENV)/.ready: tools/setup pyproject.toml constraints.txt
	tools/setup $(VENV)
	@touch $@

setup: $(VENV)/.ready ## virtual environment in .venv, Debian libraries

demo: setup ## render a small sweep of spheres_sem into build/demo
	$(RUN)/python tools/demo.py build/demo

check: setup ## format, lint, types, layers
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

test: check ## every test
	$(RUN)/pytest -n auto --dist loadfile

bench: setup ## speed and memory, as ratios and a table
	$(RUN)/python bench/bench.py

clean: ## remove what was built; the virtual environment stays
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
