# Every target sets up .venv first, once. Paths are relative, so that the checkout's folder may have any name.

PYTHON ?= python3
SEED ?= 0
OUT ?= runs/demo

# uv makes and fills .venv: the one on PATH, else one of our own in .tools.
UV := $(shell command -v uv || echo .tools/bin/uv)
BIN := .venv/bin
STAMP := .venv/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup demo test lab lint notebooks exercises samples bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## make .venv with everything the course needs (the other targets do this first)

demo: $(STAMP) ## collect demonstrations, train a policy, test it on unseen scenes, report (SEED=0 OUT=runs/demo)
	@$(BIN)/vla-course demo --seed $(SEED) --out "$(OUT)"

test: $(STAMP) ## run all tests, those of the notebooks too
	@test -d tests || { echo "no tests here: this is a class's copy; use vla-course check exercises/NOTEBOOK"; exit 1; }
	@$(BIN)/python -m pytest tests -n 2 --dist loadfile

lab: $(STAMP) ## open JupyterLab on the lessons
	@$(BIN)/jupyter-lab --LabApp.default_url=/lab/tree/notebooks

lint: $(STAMP) ## check style, layout, the direction of imports, and that notebooks and exercises are as generated
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/vla-course notebooks --check
	@$(BIN)/vla-course release --check

notebooks: $(STAMP) ## run lessons and solutions again and store what they show
	@$(BIN)/vla-course notebooks

exercises: $(STAMP) ## make exercises/ from solutions/
	@$(BIN)/vla-course release

samples: $(STAMP) ## make data_samples/ again: a few episodes and a trained policy
	@$(BIN)/vla-course samples

bench: $(STAMP) ## measure speed, each figure a ratio to a named alternative
	@$(BIN)/python -m benchmarks.run

clean: ## remove .venv, .tools and caches; what you made in runs/ stays
	rm -rf .venv .tools *.egg-info build .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A set-up that was interrupted left no stamp: it starts anew. One that is out of date is brought up to date.
$(STAMP): pyproject.toml constraints.txt
	@$(CHECK_PYTHON)
	@test -x "$(UV)" || $(MAKE) --no-print-directory "$(UV)"
	@test -f $@ || rm -rf .venv
	@test -d .venv || "$(UV)" venv --quiet --python "$$(command -v $(PYTHON))" .venv
	@rm -f $@
	@echo "setting up .venv; the first time it downloads some gigabytes"
	@"$(UV)" pip install --python $(BIN)/python --editable ".[dev]" --constraint constraints.txt
	@touch $@

.tools/bin/uv:
	@rm -rf .tools
	@$(PYTHON) -m venv .tools || { echo "$(PYTHON) cannot make a virtual environment: install its venv module" \
	"(Debian and Ubuntu: apt install python3-venv), or uv"; rm -rf .tools; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || \
	{ echo "the course needs Python 3.11 to 3.13, and $(PYTHON) says: $$($(PYTHON) --version 2>&1);" \
	"name another one, such as: make setup PYTHON=python3.11"; exit 1; }
