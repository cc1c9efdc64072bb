.DEFAULT_GOAL := help
.PHONY: help setup demo docs release-check test test-local test-cluster test-readers soak images cluster-demo cluster-down check bench bench-gpu bench-operator clean
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

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | column -t -s $$'\t'

# The steps of tools/setup; `tests` covers `demo` and marks both.
$(VENV)/.%: tools/setup pyproject.toml constraints.txt
	tools/setup $* $(VENV)

setup: $(VENV)/.tests ## install what tests need: virtual environment in .venv, Debian packages

demo: $(VENV)/.demo ## render a small sweep of spheres_sem into build/demo
	$(RUN)/python tools/demo.py build/demo

docs: $(VENV)/.docs ## build the documentation site into build/site; fails on a broken link
	NO_MKDOCS_2_WARNING=1 $(RUN)/mkdocs build

release-check: setup ## check what a release needs (docs/releasing.md)
	$(RUN)/python tools/release_check.py

check: setup ## check format, lint, types, layers, names and links
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	MYPYPATH=bench:tests:tests/cluster:tests/dataset/gates $(RUN)/mypy --follow-imports silent bench
	PYTHONPATH=reader $(RUN)/lint-imports
	$(RUN)/pytest -q tests/house

test: check ## run every test; CLUSTER=no: none on Kubernetes; KUBECONFIG=…: on that cluster (docs/testing.md)
	$(if $(filter no,$(CLUSTER)),,tools/cluster-dependencies)
	+$(MAKE) --no-print-directory -j2 test-local $(if $(filter no,$(CLUSTER)),,test-cluster)

test-local: setup ## the tests without a cluster alone; they leave the processors to the cluster tests, which have timeouts
	nice $(RUN)/pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/cluster $(LABEL_OUTPUT)

test-cluster: setup ## run only the tests on Kubernetes
	$(CLUSTER_TESTS) $(LABEL_OUTPUT)

READERS := build/readers
test-readers: setup ## read exports with the tools they are for; TORCH=yes: those that need torch too (6 GB)
	[ -x $(READERS)/venv/bin/pip ] || python3.11 -m venv $(READERS)/venv
	$(READERS)/venv/bin/pip install -q -r tests/readers/requirements.txt \
	  $(if $(filter yes,$(TORCH)),-r tests/readers/requirements-torch.txt)
	rm -rf $(READERS)/exports
	$(RUN)/python tests/readers/make_exports.py $(READERS)/exports
	SYNTH_EXPORTS=$(abspath $(READERS)/exports) $(READERS)/venv/bin/pytest -q -rs -c /dev/null --rootdir tests/readers \
	  --confcutdir tests/readers -p no:cacheprovider tests/readers

soak: setup ## long tests: many seeds, examples, kills and runs; before a release (docs/testing.md)
	$(if $(filter no,$(CLUSTER)),,tools/cluster-dependencies)
	$(RUN)/pytest -n auto --dist loadfile -m "soak or hypothesis" --hypothesis-profile=soak \
	  $(if $(filter no,$(CLUSTER)),--ignore tests/cluster)

images: ## build both images, with docker, podman or buildah
	tools/images

cluster-demo: setup ## start Kubernetes on this machine and run a small sweep on it
	PYTHONPATH=tests:tests/cluster $(RUN)/python tools/cluster_demo.py up

cluster-down: ## stop the cluster of cluster-demo
	PYTHONPATH=tests:tests/cluster $(RUN)/python tools/cluster_demo.py down

bench: setup ## measure speed and memory of rendering and planning
	$(RUN)/python bench/bench.py

bench-gpu: setup ## measure the GPU of this machine; without one, what needs none (docs/gpu.md)
	$(RUN)/python bench/gpu.py

bench-operator: setup ## measure API writes, status lag and memory of the operator, on a new cluster, and the webhook
	PYTHONPATH=tests:tests/cluster $(RUN)/python bench/operator_load.py
	PYTHONPATH=tests:tests/cluster $(RUN)/python bench/webhook_latency.py
	PYTHONPATH=tests:tests/cluster $(RUN)/python bench/sweep_list.py

clean: ## remove build outputs and caches; keep the virtual environment
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
