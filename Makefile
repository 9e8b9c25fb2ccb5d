# Everything a newcomer needs: `make simulate` and `make test`. Both make the virtual environment themselves.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SCENARIO ?= scenarios/code_review.yaml
GALLERY := code_review overload research_assistant
BAKEOFFS := code_review_bakeoff error_order
SWEEPS := code_review
PATTERNS := code_review_single orchestrator_worker pipeline hierarchical router bus hybrid parallel debate consensus refine handoff \
  market mesh tool_agent blackboard
# The task that shows it stands behind the name.
WEAKNESSES := single_overflow:4 orchestrator_bottleneck:5 pipeline_first_error:3 hierarchical_lost_detail:3 router_wrong_specialist:3 \
  bus_late_subscriber:3 parallel_disagreement:3 debate_agreement:3 consensus_correlated:3 refine_never:3 \
  handoff_lost_context:3 market_nobody_bids:3 market_wrong_award:3 mesh_livelock:3 mesh_version_drift:3 \
  react_loop:3 react_drift:3 blackboard_lost_update:3 blackboard_lock:3

.DEFAULT_GOAL := help
.PHONY: help setup simulate test test-all test-pythons test-frameworks test-mcp test-threads-frameworks test-crewai test-crewai-cassettes test-node test-oldest-sdks test-browser lint format check bench gallery docs clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 17

$(READY): pyproject.toml constraints.txt
	@echo "making the virtual environment $(VENV) with $(PYTHON); once, it takes a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@echo "installing harness and what it needs"
	@$(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@echo "ready"
	@touch $(READY)

setup: $(READY) ## make the virtual environment

simulate: $(READY) ## simulate the code-review team (another: make simulate SCENARIO=scenarios/...)
	$(BIN)/harness simulate $(SCENARIO)

test: $(READY) ## run the tests that show in a few minutes that all is well
	$(BIN)/python -m pytest -n auto -m 'not slow'

test-all: $(READY) ## run every test, as CI does
	$(BIN)/python -m pytest -n auto --hypothesis-profile thorough --durations 30

# Other Pythons that are supported, where they are to be had: by name, or through pyenv.
PYTHONS := 3.12 3.13
PYTHON_TESTS ?= tests examples
find-python = $(firstword $(shell { python$(1) -c 'import sys; print(sys.executable)'; ls -d "$$(pyenv root)"/versions/$(1).*/bin/python; } 2> /dev/null))

test-pythons: $(PYTHONS:%=test-python-%) ## run the quick tests on the other Pythons that are supported

test-python-%:
	@if [ -n "$(call find-python,$*)" ]; then $(MAKE) .venv-python$*/.ready && .venv-python$*/bin/python -m pytest -n auto -m 'not slow' $(PYTHON_TESTS); \
	else echo "skipped: there is no Python $*"; fi

.venv-python%/.ready: pyproject.toml constraints.txt
	$(call find-python,$*) -m venv .venv-python$*
	.venv-python$*/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

test-frameworks: .venv-frameworks/.ready .venv-frameworks-openai2/.ready ## run the tests of frameworks, in environments of their own
	.venv-frameworks/bin/python -m pytest tests/frameworks tests/wire/gemini
	.venv-frameworks-openai2/bin/python -m pytest tests/frameworks

test-mcp: .venv-frameworks-mcp/.ready ## run the tests of A2A, and of MCP with mcp 1 and pydantic-ai; test-frameworks has mcp 2
	.venv-frameworks-mcp/bin/python -m pytest tests/frameworks/test_a2a.py tests/frameworks/test_mcp.py tests/frameworks/test_mcp_in_frameworks.py

test-threads-frameworks: .venv-frameworks-threads/.ready ## run the tests of smolagents and LlamaIndex
	.venv-frameworks-threads/bin/python -m pytest tests/frameworks

test-crewai-cassettes: $(READY) ## load the recordings in crewAI's source distribution, which is downloaded
	$(BIN)/python -m tests.cassettes.crewai_sdist

test-crewai: .venv-frameworks-crewai/.ready ## run the tests of crewAI, which brings 150 packages
	.venv-frameworks-crewai/bin/python -m pytest tests/frameworks/test_crewai.py

test-node: $(READY) tests/node/node_modules/.ready ## run the tests of the SDKs for Node.js, with the system's node and npm
	$(BIN)/python -m pytest tests/node

tests/node/node_modules/.ready: tests/node/package.json tests/node/package-lock.json
	npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund
	@touch $@

OLDEST_SDKS_TESTS := $(addprefix tests/wire/,test_attempts.py test_blocking_clients.py test_damage.py test_identity.py test_repeats.py \
  test_sdk_clients.py test_sdk_failures.py test_sdk_retries.py test_used_clients.py \
  anthropic/test_with_the_sdk.py openai/test_through_the_sdk.py)

test-oldest-sdks: .venv-oldest-sdks/.ready ## run the tests of the wire with the oldest SDKs in wide use
	.venv-oldest-sdks/bin/python -m pytest $(OLDEST_SDKS_TESTS)

test-browser: .venv-browser/.ready ## look at reports in the system's Chromium; screenshots go to build/screenshots
	.venv-browser/bin/python -m pytest tests/browser

# Named after the extra that it gets. Frameworks pin packages of their own, so the constraints are not for them.
.venv-%/.ready: pyproject.toml
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

lint: $(READY) ## check format, style, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose > .lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }
	$(BIN)/python -m tests.test_sizes

format: $(READY) ## put the code in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

check: lint test ## lint, then the quick tests

bench: $(READY) ## measure speed and memory (see benchmarks/README.md)
	$(BIN)/python -m benchmarks

gallery: $(READY) ## draw the reports in reports/gallery again
	rm -rf reports/gallery build/gallery
	@# Copied out of the repository: a commit in the pages would change them with every commit.
	for each in $(GALLERY); do \
	  there=$$(mktemp -d) && cp -r scenarios stubs $$there && mkdir -p reports/gallery && here=$$PWD && \
	  (cd $$there && $$here/$(BIN)/harness simulate scenarios/$$each.yaml --runs 8 --quiet || test $$? -eq 1) && \
	  $(BIN)/harness report --store $$there/harness.duckdb -o reports/gallery/$$each && rm -rf $$there || exit 1; \
	done
	for each in $(BAKEOFFS); do \
	  there=$$(mktemp -d) && cp -r scenarios stubs $$there && here=$$PWD && \
	  (cd $$there && $$here/$(BIN)/harness bakeoff scenarios/$$each.yaml -o $$here/reports/gallery/$$each > /dev/null) && \
	  rm -rf $$there || exit 1; \
	done
	for each in $(SWEEPS); do \
	  there=$$(mktemp -d) && cp -r scenarios stubs $$there && here=$$PWD && \
	  (cd $$there && $$here/$(BIN)/harness sweep scenarios/$$each.yaml -o $$here/reports/gallery/$${each}_sweep > /dev/null) && \
	  rm -rf $$there || exit 1; \
	done
	there=$$(mktemp -d) && cp -r scenarios stubs $$there && here=$$PWD && \
	for each in $(PATTERNS); do \
	  (cd $$there && $$here/$(BIN)/harness simulate scenarios/$$each.yaml --runs 1 --set workload.warmup_tasks=0 \
	    --set workload.tasks=3 --keep-texts --quiet || test $$? -eq 1) && \
	  $(BIN)/harness report --task 1 --store $$there/harness.duckdb -o reports/gallery/patterns || exit 1; \
	done && rm -rf $$there
	there=$$(mktemp -d) && cp -r scenarios stubs $$there && here=$$PWD && \
	for each in $(WEAKNESSES); do \
	  (cd $$there && $$here/$(BIN)/harness simulate scenarios/$${each%:*}.yaml --runs 1 --set workload.warmup_tasks=0 \
	    --set workload.tasks=8 --keep-texts --quiet || test $$? -eq 1) && \
	  $(BIN)/harness report --task $${each#*:} --store $$there/harness.duckdb -o reports/gallery/weaknesses || exit 1; \
	done && rm -rf $$there

docs: $(READY) ## write the generated pages again
	$(BIN)/harness schema --reference > docs/scenario-reference.md
	$(BIN)/harness schema > docs/scenario.schema.json
	$(BIN)/python -m tests.isolation.page
	$(BIN)/python -m tests.threads.page
	$(BIN)/python -m tests.private_names.page
	$(BIN)/python -m tests.faults.page
	ANTHROPIC_API_KEY=unused $(BIN)/python -m tests.findings.page

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .venv-python* .venv-frameworks .venv-frameworks-openai2 .venv-frameworks-mcp .venv-frameworks-threads .venv-frameworks-crewai .venv-oldest-sdks .venv-browser tests/node/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info
