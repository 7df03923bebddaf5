# Every target sets up what it needs; on a fresh machine `make demo` and `make test` are enough.
PY := .venv/bin/python
STAMP := .venv/.installed

RIVALS := .venv-rivals/.installed

.PHONY: demo run test check lint clean browser screenshots strace mutants power-cuts battery soak
.PHONY: bench bench-full bench-rivals

demo: $(STAMP)
	.venv/bin/hookbundle demo

run: $(STAMP)
	.venv/bin/hookbundle run

test: $(STAMP) browser strace
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

# So do the tests of power cuts, by which they see what reaches the disk.
strace:
	tests/install-strace.sh

# Plants known bugs, one at a time, and demands that a test notices each.
mutants: $(STAMP) strace
	PYTHONPATH=.src $(PY) -m hookbundle.tests.mutants.run

# The long form of the tests of reliability, a quarter of an hour. BATTERY_SEED=7 tries other cases.
battery: $(STAMP) strace
	BATTERY=full POWER_CUT_ROUNDS=240 POWER_CUT_IMAGES=200 \
		$(PY) -m pytest -n 2 -q -rA tests/reliability tests/storage/database/test_released_schemas.py

# Many rounds of work, after each of which the daemon is measured.
soak: $(STAMP)
	BATTERY=full SOAK_ROUNDS=60 SOAK_CHATS=1000 $(PY) -m pytest -q -s tests/reliability/load/test_soak.py

# The long form of what `make test` does in seconds. POWER_CUT_SEED=7 tries other images.
power-cuts: $(STAMP) strace
	POWER_CUT_ROUNDS=240 POWER_CUT_IMAGES=200 \
		$(PY) -m pytest -q -s tests/reliability/crashes/test_power_cut.py

screenshots: $(STAMP) browser
	PYTHONPATH=.src $(PY) -m hookbundle.tests.server.console.screenshots

bench: $(STAMP)
	$(PY) bench/all.py

# A million windows, longer rounds, pictures for docs/benchmarks.md, and the rivals: half an hour.
bench-full: $(STAMP)
	$(PY) bench/all.py --full
	$(MAKE) bench-rivals

# hookbundle beside Celery, plain Pykka, SQLite and bytewax, which have a virtualenv of their own.
bench-rivals: $(STAMP) $(RIVALS)
	bench/rivals/install-redis.sh
	$(PY) bench/rivals/run.py

$(RIVALS): bench/rivals/requirements.txt
	python3 -m venv .venv-rivals
	.venv-rivals/bin/pip install --quiet --upgrade pip
	.venv-rivals/bin/pip install --quiet -r bench/rivals/requirements.txt
	touch $(RIVALS)

clean:
	rm -rf .venv .venv-rivals build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The stamp is as new as the list of requirements, so a changed setup.cfg installs again.
$(STAMP): setup.cfg pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install --quiet --upgrade pip
	.venv/bin/pip install --quiet --editable '.[dev]'
	touch $(STAMP)
