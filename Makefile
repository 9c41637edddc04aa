# Every target sets up .venv by itself. PYTHON=… names the interpreter to make it with; V=1 shows what pip says.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
QUIETLY := $(if $(V),,>/dev/null 2>&1)

# A command starts in half the time from compiled modules, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-long test-alone check crash soak bench bench-peers bench-console bench-compare

setup: $(READY)

demo: $(READY)
	@$(BIN)/hub demo

test: $(READY)
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not long and not alone"

# Whole processes under load, backups, failovers, the guides.
test-long: $(READY)
	@$(BIN)/pytest -q -n 2 --dist worksteal -m long

# A hub killed at every step and at random; the national axis of 2019. One after the other: each needs the machine.
test-alone: $(READY)
	@$(BIN)/pytest -q -m alone

# Measures on this machine, several minutes; less with ARGS="accept --size 360k --database postgresql".
bench: $(READY)
	@$(BIN)/python -m benchmarks $(or $(ARGS),all)

# Beside Postfix, RabbitMQ and pyas2lib, those that are installed: a minute or two; ARGS="--seconds 2 --peer postfix".
bench-peers: $(READY)
	@$(BIN)/python -m benchmarks.peers $(ARGS)

# Pages and searches of the console on ten million deliveries: 40 GB and more than an hour; less with
# ARGS="--deliveries 100000 --database sqlite", and filled only once with ARGS="--keep /var/tmp/big".
bench-console: $(READY)
	@$(BIN)/python -m benchmarks.console $(ARGS)

# make bench-compare bench-results/A.json bench-results/B.json
bench-compare: $(READY)
	@$(BIN)/python -m benchmarks compare $(wordlist 2,3,$(MAKECMDGOALS))
ifeq (bench-compare,$(firstword $(MAKECMDGOALS)))
.PHONY: $(wordlist 2,3,$(MAKECMDGOALS))
$(eval $(wordlist 2,3,$(MAKECMDGOALS)):;@:)
endif

# A hub dies under load, again and again, and the agencies' book judges: make crash ARGS="--kills 2000 --database sqlite".
crash: $(READY)
	@$(BIN)/python -m tests.crash $(ARGS)

# A hub holds a rate, and fails on growth: make soak HOURS=72 ARGS="--database postgresql".
soak: $(READY)
	@$(BIN)/python -m benchmarks.soak --hours $(or $(HOURS),1) $(ARGS)

# Runs everything and counts, so that one look shows all there is to repair.
check: $(READY)
	@failed=0; \
	for step in "ruff format --check ." "ruff check ." mypy "pytest -q tests/test_architecture.py tests/test_repository.py"; do \
	  echo "check: $$step"; $(BIN)/$$step || failed=$$((failed + 1)); \
	done; \
	echo "check: $$failed failed"; test $$failed -eq 0

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@echo "Setting up .venv from requirements.lock (about a minute)"
	@{ $(PYTHON) -m venv .venv \
	  && $(PIP) install --require-hashes -r requirements.lock \
	  && $(PIP) install --no-deps --no-build-isolation -e .; } $(QUIETLY) \
	  || { echo "Setting up .venv failed: make setup V=1 shows why"; exit 1; }
	@touch $@
