# Everything happens inside this directory: the virtual environment in .venv, a throw-away Airflow in .demo or .airflow.
PYTHON ?= python3
AIRFLOW ?= 3.3
VENV ?= .venv
BIN := $(VENV)/bin
LINES = $(patsubst constraints/airflow-%.txt,%,$(wildcard constraints/airflow-*.txt))
CONSTRAINTS = constraints/airflow-$(AIRFLOW).txt
INSTALLED = $(VENV)/installed-$(AIRFLOW)
COG = $(BIN)/cog -P -I docs -p 'from generated import *'
SPHINX = $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env
CATALOGUES = docs/locale/zh_CN/LC_MESSAGES
PACKAGED = dist/.checked
# These wait for shifts of minutes to end, too long for CI.
WHOLE_SHIFTS = tests/system/test_manual_runs.py tests/system/test_missed_night.py
# Tests wait for much of their time, those of whole processes for most of it.
AT_ONCE = --dist loadfile --no-loadscope-reorder --numprocesses
# Without compiled modules, each start of Airflow takes seconds more; the processes of tests start it often.
unexport PYTHONDONTWRITEBYTECODE
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --constraints $(CONSTRAINTS)

.PHONY: help demo test attack test-matrix test-system test-shifts test-upgrade screenshots lint docs docs-refresh docs-translations package check-tag bench simulator airflow constraints environment clean
.DEFAULT_GOAL := help

help:  ## say what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 19

demo: $(INSTALLED)  ## a shift ends: a real Airflow pauses every campaign and keeps it so (about a minute)
	@$(BIN)/python dev/demo.py

test: lint $(INSTALLED)  ## lint, type checks and all tests except the system tests
	$(BIN)/pytest $(AT_ONCE) 3

test-matrix: $(addprefix matrix-,$(or $(ONLY),$(LINES)))  ## the tests on every supported Airflow and Python; ONLY="2.11 3.0" names some, ONLY=next the pre-release; -j2

matrix-%: $(PACKAGED)
	@$(BIN)/nox --tags $*

attack: $(INSTALLED)  ## the attacks of the tests at full length, and their figures for the docs (half an hour); SEED=1 repeats
	$(BIN)/pytest tests/attack --attack large --attack-results tests/attack/RESULTS.md $(if $(SEED),--attack-seed $(SEED))

test-system: $(INSTALLED)-system  ## a browser on Airflow's UI; Celery, Redis and PostgreSQL (needs Debian's packages for them)
	$(BIN)/pytest -rP $(AT_ONCE) 3 tests/system $(addprefix --ignore ,$(WHOLE_SHIFTS))

test-shifts: $(INSTALLED)  ## whole shifts on a real scheduler: runs by hand, and a night that nobody paused (ten minutes)
	$(BIN)/pytest -rP $(WHOLE_SHIFTS)

test-upgrade: $(INSTALLED)  ## upgrade, downgrade and remove the provider on real Airflows (ten minutes); UPGRADE_FROM=v0.2.0 ONLY=3.3
	UPGRADE_ON="$(or $(ONLY),lowest 3.3)" $(BIN)/pytest -rP tests/system/test_upgrade.py

screenshots: $(INSTALLED)-system  ## take the pictures of the docs anew
	SCREENSHOTS=docs/images $(BIN)/pytest tests/system/test_ui.py tests/system/test_one_airflow.py tests/system/test_night.py

lint: $(INSTALLED)  ## ruff and mypy; shellcheck, actionlint and zizmor for CI
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck .ci/run
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github

docs: $(INSTALLED)-docs  ## the documentation, in build/docs; warnings, broken links and stale parts are errors, what is not translated is named
	$(COG) --verbosity=0 --check --diff --check-fail-msg='make docs-refresh writes it anew' docs/*.md
	$(BIN)/lychee --quiet --offline --include-fragments *.md docs/*.md benchmarks/*.md dev/*.md
	$(SPHINX) docs build/docs
	$(SPHINX) --define only_translated=1 --define language=zh_CN docs build/docs/zh-CN
	@rm -rf build/gettext
	$(SPHINX) --define only_translated=1 --builder gettext docs build/gettext
	@$(BIN)/python dev/translations.py build/gettext $(CATALOGUES)

docs-refresh: $(INSTALLED)-docs  ## write what is made from code into the pages of the documentation
	$(COG) --verbosity=1 -r docs/*.md

docs-translations: $(INSTALLED)-docs  ## bring docs/locale up to date with the English
	@rm -rf build/gettext
	$(SPHINX) --define only_translated=1 --builder gettext docs build/gettext
	$(BIN)/sphinx-intl update --pot-dir build/gettext --locale-dir docs/locale --language zh_CN --line-width 120 --no-obsolete

package: $(PACKAGED)  ## wheel, sdist and SBOM in dist/, checked
	@ls dist

check-tag: $(INSTALLED)  ## that TAG=v1.2.3 is this version's, and that the changelog has a date for it
	@$(BIN)/python dev/check_tag.py $(TAG)

bench: $(INSTALLED)-bench  ## the benchmarks, side by side with what would be used instead
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/problems.py

simulator: $(INSTALLED)  ## start a CC-iSales simulator to click through with; PORT=8444
	$(BIN)/isales-simulator --campaign 1001 --campaign 1002 --ca-file $(VENV)/isales-simulator-ca.pem $(if $(PORT),--port $(PORT))

airflow: $(INSTALLED)  ## start an Airflow with its UI, the example DAGs and a connection to `make simulator`; PORT=8081 SIMULATOR=8444
	@$(BIN)/python dev/throwaway_airflow.py $(if $(PORT),--port $(PORT)) $(if $(SIMULATOR),--simulator $(SIMULATOR))

constraints: $(BIN)/uv  ## pin the newest versions anew, for AIRFLOW=x.y
	$(BIN)/python dev/constraints.py $(AIRFLOW)

environment: $(INSTALLED)  ## the virtual environment and nothing else

clean:  ## remove everything that was made
	rm -rf .venv .nox .demo .airflow .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv

# Of one line of Airflow at a time: --exact and the removed stamps leave nothing of another.
$(INSTALLED): pyproject.toml $(CONSTRAINTS) | $(BIN)/uv
	@echo "Installing Airflow $(AIRFLOW) and the provider into $(VENV) ..."
	@rm -f $(VENV)/installed-*
	@$(INSTALL) --exact apache-airflow --editable '.[simulator]' --group dev uv
	@touch $@

$(INSTALLED)-%: $(INSTALLED)
	@$(INSTALL) --group $*
	@touch $@

$(PACKAGED): pyproject.toml $(CONSTRAINTS) README.md CHANGELOG.md LICENSE dev/package.py \
		$(shell find airflow_provider_isales example_dags -type f ! -name '*.pyc' 2>/dev/null) | $(INSTALLED)-package
	@$(BIN)/python dev/package.py $(CONSTRAINTS)
	@touch $@
