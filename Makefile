# Every target builds the virtual environment that it needs, once, and does nothing twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-slow lint figures reproduce docs wheel benchmarks clean

demo: $(VENV)/.installed-demo
	$(BIN)/python -m experiments.sweep experiment=demo engine=local
	$(BIN)/python -m experiments.plans runs/demo --scheme airnet --snr-db 0
	$(BIN)/python -m experiments.spectrum runs/demo/spectrum.safetensors --from experiment=demo
	$(BIN)/python -m figures snr --results runs/demo/results.parquet

# One thread a worker: two workers on two cores that each want both are slower than one. Bytecode is kept, whatever the
# environment says: compiling all anew takes each worker 20 s, and each process that a test starts 3 s.
test: $(VENV)/.installed-all
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

test-slow: $(VENV)/.installed-all
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

# Every figure, on the built-in data sets; what is in the store is not computed again.
EXPERIMENTS := demo bandwidth mismatch fading city channels estimation expansion protection ablation spectrum elastic segmentation resolutions compact quantisers planes pareto tasks split best session update
figures: $(VENV)/.installed-all
	for name in $(EXPERIMENTS); do \
	  $(BIN)/python -m experiments.sweep experiment=$$name preset=demo engine=local || exit 1; \
	done
	$(BIN)/python -m figures

# A claim of a paper: runs what is missing, draws the figure, says whether it holds; CLAIM=all for all of them.
CLAIM ?= all
reproduce: $(VENV)/.installed-all
	$(BIN)/python -m figures.claims $(CLAIM)

# The documentation site, into site/: offline, every link checked, every warning an error. EXAMPLES=quick runs no
# example that trains for minutes.
EXAMPLES ?= all
docs: $(VENV)/.installed-all
	EXAMPLES=$(EXAMPLES) NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file .mkdocs.yml

# The wheel, installed into an environment that has nothing else, and used from elsewhere as by somebody who has no clone.
wheel:
	rm -rf build/wheel build/clean
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/wheel .
	$(PYTHON) -m venv build/clean
	build/clean/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  "$$(ls build/wheel/airdeliver-*.whl)[experiments,figures]"
	cd build && clean/bin/python -I ../tests/wheel.py

benchmarks: $(VENV)/.installed-all
	$(BIN)/python -m benchmarks

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-demo: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[experiments,figures]'
	@touch $@

$(VENV)/.installed-all: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[all]'
	@touch $@ $(VENV)/.installed-demo

clean:
	rm -rf $(VENV) build dist site docs/generated .pytest_cache .ruff_cache .hypothesis
