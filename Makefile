# Every target sets up what it needs; on a fresh machine `make demo` and `make test` are enough.
PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: demo run test check lint bench clean browser screenshots

demo: $(STAMP)
	.venv/bin/hookbundle demo

run: $(STAMP)
	.venv/bin/hookbundle run

test: $(STAMP) browser
	$(PY) -m pytest -n 2 -q

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

check: lint test

# The console's tests want a browser; on a machine that has none it is installed.
browser:
	tests/install-browser.sh

screenshots: $(STAMP) browser
	PYTHONPATH=.src $(PY) -m hookbundle.tests.console.screenshots

bench: $(STAMP)
	$(PY) bench/all.py

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The stamp is as new as the list of requirements, so a changed setup.cfg installs again.
$(STAMP): setup.cfg pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet --upgrade pip
	.venv/bin/pip install --quiet --editable '.[dev]'
	touch $(STAMP)
