.DEFAULT_GOAL := help
.PHONY: help setup demo test test-local test-cluster soak images cluster-demo cluster-down check bench bench-operator clean
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
VENV := .venv
RUN := $(VENV)/bin
# Three clusters at a time: their tests mostly wait. Only a KUBECONFIG given to make is meant for tests; that one cluster
# runs them one after another, because they install the chart on it.
CLUSTER_TESTS = $(if $(filter command,$(origin KUBECONFIG)),SYNTH_TEST_KUBECONFIG=$(KUBECONFIG) $(RUN)/pytest, \
	$(RUN)/pytest -n 3 --dist loadfile --no-loadscope-reorder) tests/cluster
# Two groups of tests run at the same time; each line of output carries the name of its group.
LABEL_OUTPUT = 2>&1 | sed --unbuffered 's/^/$@: /'

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | column -t -s $$'\t'

# The steps of tools/setup; `tests` covers `demo` and marks both.
$(VENV)/.%: tools/setup pyproject.toml constraints.txt
	tools/setup $* $(VENV)

setup: $(VENV)/.tests ## install what tests need: virtual environment in .venv, Debian packages

demo: $(VENV)/.demo ## render a small sweep of spheres_sem into build/demo
	$(RUN)/python tools/demo.py build/demo

check: setup ## format, lint, types, layers
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/lint-imports

test: check ## every test; CLUSTER=no leaves out those on Kubernetes, KUBECONFIG=… runs them there (docs/testing.md)
	$(if $(filter no,$(CLUSTER)),,tools/cluster-dependencies)
	+$(MAKE) --no-print-directory -j2 test-local $(if $(filter no,$(CLUSTER)),,test-cluster)

test-local: setup ## the tests without a cluster alone; they leave the processors to the cluster tests, which have timeouts
	nice $(RUN)/pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/cluster $(LABEL_OUTPUT)

test-cluster: setup ## the tests on Kubernetes alone
	$(CLUSTER_TESTS) $(LABEL_OUTPUT)

soak: setup ## long tests: many seeds, examples, kills and runs; before a release (docs/testing.md)
	$(if $(filter no,$(CLUSTER)),,tools/cluster-dependencies)
	$(RUN)/pytest -n auto --dist loadfile -m "soak or hypothesis" --hypothesis-profile=soak \
	  $(if $(filter no,$(CLUSTER)),--ignore tests/cluster)

images: ## both images, with docker, podman or buildah
	tools/images

cluster-demo: setup ## a Kubernetes on this machine, with a small sweep on it
	PYTHONPATH=tests:tests/cluster $(RUN)/python tools/cluster_demo.py up

cluster-down: ## end the cluster of cluster-demo
	PYTHONPATH=tests:tests/cluster $(RUN)/python tools/cluster_demo.py down

bench: setup ## speed and memory, as ratios and a table
	$(RUN)/python bench/bench.py

bench-operator: setup ## writes, status lag and memory of the operator, on a Kubernetes of its own
	PYTHONPATH=tests:tests/cluster $(RUN)/python bench/operator_load.py

clean: ## remove what was built; the virtual environment stays
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
