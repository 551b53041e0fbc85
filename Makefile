# Everything a fresh machine needs: `make run` serves, `make test` proves.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
UV := UV_SYSTEM_CERTS=1 $(BIN)/uv
CATALOGUES := $(wildcard referral_app/translations/*/LC_MESSAGES/messages.po)
COMPILED := $(CATALOGUES:.po=.mo)
STATIC := referral_app/static/vendor
SPECTACULAR := build/vendor/drf_spectacular_sidecar/static/drf_spectacular_sidecar

.PHONY: help build run test soak lint format translations openapi lock clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

build: .venv/app $(STATIC)/made $(COMPILED) ## Set up what is missing, and serve nothing

run: build ## Set up what is missing and serve http://127.0.0.1:8000
	@$(BIN)/flask ops prepare
	@exec $(BIN)/gunicorn -c gunicorn.conf.py

test: .venv/dev $(STATIC)/made $(COMPILED) ## Run the quick suite, on SQLite and PostgreSQL and in a browser
	@tests/install_services
	$(BIN)/python -m pytest $(ARGS)

soak: .venv/soak $(STATIC)/made $(COMPILED) ## Run everything long: coverage, kills, long races, fuzzing, axe on all screens
	@tests/install_services
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report
	$(BIN)/python -m pytest -o addopts="-v -s -rfE --tb=short -p no:cacheprovider -p no:randomly" -o filterwarnings= --timeout=1200 \
		-o faulthandler_timeout=1300 $(or $(ARGS),tests/soak)

lint: .venv/dev ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports setup.cfg

format: .venv/dev ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

translations: .venv/app ## Collect new texts into the catalogue, to be translated there
	@cd referral_app && ../$(BIN)/pybabel -q extract -F ../babel.cfg -k N_ -k _l --no-location --omit-header -o ../build/messages.pot .
	@$(BIN)/pybabel -q update -i build/messages.pot -d referral_app/translations --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width=0
	@$(MAKE) --no-print-directory $(COMPILED)

openapi: .venv/app ## Write docs/openapi.json from the code, and docs/postman.json from that
	@SITE_URL=http://127.0.0.1:8000 $(BIN)/flask openapi write docs/openapi.json
	@$(BIN)/flask openapi postman docs/openapi.json docs/postman.json

lock: .venv/made ## Lock the newest versions with their hashes
	@$(UV) pip compile -q --upgrade --python-version 3.11 --universal --generate-hashes --no-header requirements/app.in -o requirements/app.txt
	@$(UV) pip compile -q --upgrade --python-version 3.11 --universal --generate-hashes --no-header requirements/dev.in -o requirements/dev.txt
	@$(UV) pip compile -q --upgrade --python-version 3.11 --universal --generate-hashes --no-header requirements/soak.in -o requirements/soak.txt
	@$(UV) pip compile -q --upgrade --python-version 3.11 --universal --generate-hashes --no-header requirements/browser.in --overrides requirements/browser-overrides.txt -o requirements/browser.txt

clean: ## Remove what was made here; the data in instance/ stay
	rm -rf .venv build $(STATIC) $(COMPILED) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

%.mo: %.po | .venv/app
	@$(BIN)/pybabel -q compile -i $< -o $@

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed: install it, or name it with PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo "Python's venv module is missing: on Debian or Ubuntu install python3-venv."; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check uv
	@touch $@

.venv/app: .venv/made requirements/app.txt
	@echo "Installing the requirements …"
	@$(UV) pip install -q --require-hashes -r requirements/app.txt --python $(BIN)/python
	@touch $@

.venv/dev: .venv/app requirements/dev.txt
	@echo "Installing the requirements of the tests …"
	@$(UV) pip install -q --require-hashes -r requirements/dev.txt --python $(BIN)/python
	@touch $@

.venv/soak: .venv/dev requirements/soak.txt
	@$(UV) pip install -q --require-hashes -r requirements/soak.txt --python $(BIN)/python
	@touch $@

$(STATIC)/made: .venv/app requirements/browser.txt
	@echo "Fetching the browser's files …"
	@rm -rf build/vendor
	@$(UV) pip install -q --no-deps --require-hashes --target build/vendor -r requirements/browser.txt --python $(BIN)/python
	@mkdir -p $(STATIC)
	@cp build/vendor/django_htmx/static/django_htmx/htmx-2.min.js $(STATIC)/htmx.min.js
	@cp $(SPECTACULAR)/swagger-ui-dist/swagger-ui.css $(SPECTACULAR)/swagger-ui-dist/swagger-ui-bundle.js $(STATIC)/
	@# ReDoc fetches the picture of its mark from its makers' host; no page of ours asks another host for anything.
	@sed 's#https://cdn.redoc.ly/redoc/logo-mini.svg#data:,#' $(SPECTACULAR)/redoc/bundles/redoc.standalone.js >$(STATIC)/redoc.standalone.js
	@touch $@
