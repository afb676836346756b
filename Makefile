# segstream. Needs Python >= 3.11 and make; `make` alone lists what there is to do.

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
KAFKA := .servers/kafka
BENCH ?= quality $(patsubst benchmarks/%.py,%,$(shell grep -l __main__ benchmarks/*.py))

# stdout belongs to the command that was asked for; setting up speaks on stderr.
INSTALL = echo "installing segstream$(1) into $(VENV) ..." >&2 && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(1)' >&2

.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos servers clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Broker, store, service and a year of real baskets on this machine; ARGS="--headless --json"
	@exec $(BIN)/segstream demo $(ARGS)

test: $(VENV)/.dev ## Run the tests; those that need Java or redis-server are skipped where there is none; ARGS="-k layers"
	@exec $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: $(VENV)/.dev ## Lint, formatting, types, and whether what is generated is current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m stream.contracts.generate --check
	$(BIN)/python -m stream.metrics_page --check
	$(BIN)/python -m deploy.grafana.generate --check

bench: $(VENV)/.dev ## Run the benchmarks; BENCH="throughput" ARGS="--json"
	@set -e; for name in $(BENCH); do echo "== benchmarks.$$name" >&2; $(BIN)/python -m benchmarks.$$name $(ARGS); done

chaos: $(VENV)/.dev $(KAFKA)/.fetched ## Kill, stop and cut off the running service (Java, redis-server); ARGS="--rows 11 --kills 100"
	@exec $(BIN)/python -m benchmarks.chaos $(ARGS)

servers: $(KAFKA)/.fetched ## Fetch Apache Kafka for the tests (needs Java 17 and Maven)

clean: ## Remove all that these targets made
	rm -rf $(VENV) .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find benchmarks consumers producers stream tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Installing again only when pyproject.toml changed; the code itself is read from here.
$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@$(call INSTALL,[demo])
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@$(call INSTALL,[demo$(comma)files$(comma)dev])
	@touch $(VENV)/.demo $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "segstream needs Python 3.11 or newer; make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV) >&2 || { rm -rf $(VENV); exit 1; }

$(KAFKA)/.fetched: deploy/kafka-for-tests/pom.xml
	@echo "fetching Apache Kafka into $(KAFKA)/libs ..." >&2
	@rm -rf $(KAFKA)/libs
	@mvn --batch-mode --quiet --file $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/$(KAFKA)/libs
	@touch $@

comma := ,
