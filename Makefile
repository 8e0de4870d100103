# Works with GNU make 3.81 (macOS) and newer. `make help` says what there is.

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip
# Test workers, and the least share of branches that the tests must reach (it only rises). Commands that the tests run as
# processes of their own count as well (tests/measured.py).
WORKERS := 2
COVERAGE := 95
# The site that the test cluster behaves like: narval, trillium, vulcan, fir.
LIKE := narval

.PHONY: help demo test lint services replica cluster cluster-down cluster-test bench docs clean

help:
	@echo 'make demo      install into .venv and run the main job on the example project'
	@echo 'make test      install what the tests need; lint, types, tests with coverage'
	@echo 'make services  install what further tests run against: an OpenSSH server, Lmod, Slurm, login shells, shellcheck (Debian, Ubuntu)'
	@echo 'make lint      lint and types only'
	@echo 'make replica   make a small wheelhouse like the Alliance'"'"'s in .work/replica (Linux x86_64)'
	@echo 'make cluster   start a Slurm cluster on this machine in .work/cluster (root; LIKE=trillium for another kind)'
	@echo 'make cluster-down  end it and remove it'
	@echo 'make cluster-test  the tests that run on such a cluster'
	@echo 'make bench     measure against pip, virtualenv and uv'
	@echo 'make docs      write the command reference anew'
	@echo 'make clean     remove .venv, .work and everything else that was made'

demo: $(STAMPS)/project
	@$(BIN)/python scripts/demo.py

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not cluster" --cov --cov-report=term:skip-covered --cov-fail-under=$(COVERAGE)

lint: $(STAMPS)/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

services:
	@scripts/install_services.sh

replica: $(STAMPS)/project
	@$(BIN)/python -m replica .work/replica

cluster: $(STAMPS)/project
	@$(BIN)/python -m cluster up --like $(LIKE)

cluster-down: $(STAMPS)/project
	@$(BIN)/python -m cluster down

cluster-test: $(STAMPS)/development
	$(BIN)/python -m pytest -q -m cluster tests/cluster

bench: $(STAMPS)/development
	$(BIN)/python -m bench

docs: $(STAMPS)/project
	$(BIN)/python scripts/make_command_reference.py

clean:
	rm -rf $(VENV) .work .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* dist build
	rm -rf examples/*/.tumpline examples/*/tumpline.lock examples/*/figure.png
	find src tests replica cluster bench scripts examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMPS)/venv: scripts/make_venv.sh scripts/find_python.sh
	@scripts/make_venv.sh $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(STAMPS)/project: $(STAMPS)/venv pyproject.toml
	@echo 'installing tumpline into $(VENV)'
	@$(PIP) install -qq --editable .
	@touch $@

$(STAMPS)/development: $(STAMPS)/project
	@echo 'installing what the tests need'
	@$(PIP) install -qq --group test --group lint
	@touch $@
