# `make demo`, `make test`, `make test-all`, `make benchmark`; each sets up .venv where it is missing.
SHELL := /bin/bash
PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
TORCH ?= torch==2.13.0
# Without compiling every module of every package, which takes longer than the jobs need for those that they import.
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile
export PATH := $(CURDIR)/$(BIN):$(PATH)
# A laptop's cores are shared by the jobs, not by the threads of one job.
export OMP_NUM_THREADS ?= 1
# What many processes import is compiled once.
unexport PYTHONDONTWRITEBYTECODE
# Tests of one file share what they prepare, so that a file stays in one process; the longest come first.
TOGETHER := -n $(CORES) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help

help:
	@echo "make demo       run the demo study (config/config.yaml) and print where its report is"
	@echo "make context    compare methods of context extension (15 minutes)"
	@echo "make pretraining  small language models beside a compressor, what one of them draws, and the gate before it (simulated);"
	@echo "                  a transformer beside order 6 on real E. coli, its drawings screened against phage lambda, needs fetched genomes:"
	@echo "                  snakemake -c1 fetch --configfile FILE, then snakemake -c2 --configfile FILE, of config/studies/bacterial_genomes.yaml"
	@echo "make test       lint, dry runs, unit tests, one small study end to end"
	@echo "make test-all   the long ones too"
	@echo "make benchmark  our speed beside that of the tools people use, in one run"
	@echo "make gpu-check  what the GPU of this machine does, in under ten minutes (docs/gpu.md)"
	@echo "make docs       write config/README.md and the JSON schema from the code"

# torch comes first and on its own: which build is right depends on the machine (see README.md).
.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up .venv: packages of 2.4 GB, one to five minutes without a word ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@bash workflow/scripts/install_tools.sh & tools=$$!; \
		{ $(BIN)/python -c 'import torch' 2>/dev/null || $(INSTALL) $(TORCH); } && $(INSTALL) -e '.[dev]'; installed=$$?; \
		wait $$tools; exit $$installed
	@touch $@

setup: .venv/installed

context: setup
	@snakemake --cores $(CORES) --quiet host reason --rerun-incomplete --configfile config/studies/context_extension.yaml
	@echo "The report: results/context_extension/report/context.html"

pretraining: setup
	@snakemake --cores $(CORES) --quiet host reason --rerun-incomplete --configfile config/studies/dna_pretraining.yaml
	@snakemake --cores $(CORES) --quiet host reason --rerun-incomplete --configfile config/studies/dna_generation.yaml
	@echo "The reports: results/dna_pretraining/report/language.html and results/dna_generation/report/generation.html"

demo: setup
	@snakemake --cores $(CORES) --quiet host reason --rerun-incomplete
	@echo "The report: results/demo/report/index.html"

lint: setup
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile workflow/rules
	lint-imports --no-cache
	snakemake --lint

docs: setup
	python -m glmflow.config.document
	python -m glmflow.plan.gpu_column

test: lint
	pytest -m "not slow" -q $(TOGETHER)

test-all: setup
	pytest -m slow -q $(TOGETHER)

benchmark: setup
	@for script in benchmark/benchmark_*.py; do echo "== $$script"; python $$script || exit 1; done

gpu-check: setup
	@python benchmark/gpu_check.py

clean:
	rm -rf results logs benchmarks .snakemake

.PHONY: help setup demo context pretraining lint docs test test-all benchmark gpu-check clean
