# Every target installs what it needs, so `make demo` and `make test` work in a fresh clone.
PY := .venv/bin/python
STAMP := .venv/.installed

RIVALS := .venv-rivals/.installed

.PHONY: docs lock coverage demo run test set-up check lint clean browser screenshots strace systemd proxies prometheus mutants power-cuts battery
.PHONY: soak hostile dist guides cluster-demo cluster-table
.PHONY: bench bench-full bench-instructions bench-rivals bench-sources bench-cluster

demo: $(STAMP)
	.venv/bin/hookbundle demo

# Three log servers, three nodes, one of which is killed under traffic.
cluster-demo: $(STAMP)
	PYTHONPATH=.src .venv/bin/python -m hookbundle.tests.reliability.cluster.demo

# Everything that fails in a cluster, in turn, with the gap that clients saw, and docs/cluster.md followed: more than a quarter of an hour.
cluster-table: $(STAMP)
	BATTERY=full .venv/bin/python -m pytest -q -s tests/reliability/cluster tests/docs/cluster \
		tests/packaging/test_compose_cluster.py

run: $(STAMP)
	.venv/bin/hookbundle run

# Tests wait for programs and for the disk: with twice as many workers as two cores they wait less.
test: set-up
	$(PY) -m pytest -n 4 --dist worksteal -q --cache-clear || { test $$? -eq 1 && tests/alone.sh $(PY); }

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/codespell
	$(PY) -m pytest -q tests/test_bounded_input.py

check: lint test

# What the tests need. Packages of the system are fetched while pip installs Python's.
set-up:
	@mkdir -p .venv
	@$(MAKE) --no-print-directory -j 3 $(STAMP) browser strace systemd proxies prometheus

# Shows which lines no test reaches and writes htmlcov/. Programs that tests start are not counted.
coverage: set-up
	$(PY) -m pytest -n 2 -q --cov=hookbundle --cov-config=pyproject.toml \
		--cov-report=term:skip-covered --cov-report=html

# The console's tests need a browser; it is installed if there is none.
browser:
	tests/install-browser.sh

# The tests of power cuts need strace to see what reaches the disk.
strace:
	tests/install-strace.sh

# Some tests ask systemd's own programs what they make of the units.
systemd:
	tests/install-systemd.sh

# A test puts a daemon behind nginx and Caddy, as the guide says.
proxies:
	tests/install-proxies.sh

# promtool tries the rules of packaging/observability/, and Prometheus scrapes a daemon.
prometheus:
	tests/install-prometheus.sh

# Plants known bugs, one at a time; a test must find each.
mutants: $(STAMP) strace systemd
	PYTHONPATH=.src $(PY) -m hookbundle.tests.mutants.run

# The long form of the tests of reliability, and of all others that run a part of their cases in the short form. Half
# an hour and more on two cores that do nothing else, twice that on busy ones. BATTERY_SEED=7 tries other cases.
battery: $(STAMP) browser strace
	BATTERY=full POWER_CUT_ROUNDS=240 POWER_CUT_IMAGES=200 $(PY) -m pytest -n 2 -q -rA tests/reliability \
		tests/storage/database/test_released_schemas.py tests/docs/test_followed.py $$(tests/with-a-long-form.sh)

# Follows the quickstart, with a virtual environment and a HOME of its own, and the guides, and ends at the first difference.
guides: $(STAMP) proxies
	BATTERY=full $(PY) -m pytest -q -x tests/docs

# Hostile tenants and unknown clients beside healthy workspaces: half an hour, and a table of what these
# had to wait. HOSTILE="HeldSlots Punycode" measures some of the scenarios, --json=FILE keeps the numbers.
hostile: $(STAMP)
	PYTHONPATH=.src $(PY) -m hookbundle.tests.reliability.hostility.tenants.run --rounds 3 $(HOSTILE)

# Many rounds of work; the daemon's memory is measured after each.
soak: $(STAMP)
	BATTERY=full SOAK_ROUNDS=60 SOAK_CHATS=1000 $(PY) -m pytest -q -s tests/reliability/load/test_soak.py

# The long form of what `make test` does in seconds. POWER_CUT_SEED=7 tries other images.
power-cuts: $(STAMP) strace
	POWER_CUT_ROUNDS=240 POWER_CUT_IMAGES=200 \
		$(PY) -m pytest -q -s tests/reliability/crashes/test_power_cut.py

# Rewrites the references and the tables of the documents that are made from the code, and builds the site into site/.
# A link or an anchor that leads nowhere is an error.
docs: $(STAMP)
	PYTHONPATH=.src $(PY) docs/make_feed_table.py
	PYTHONPATH=.src $(PY) docs/make_error_table.py
	PYTHONPATH=.src $(PY) docs/make_format_tables.py
	PYTHONPATH=.src $(PY) docs/make_api_reference.py
	PYTHONPATH=.src $(PY) docs/make_metrics_reference.py
	$(PY) docs/make_board.py
	PYTHONPATH=.src $(PY) docs/make_references.py
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

screenshots: $(STAMP) browser
	PYTHONPATH=.src $(PY) -m hookbundle.tests.server.console.screenshots

bench: $(STAMP)
	$(PY) bench/all.py

# What the daemon computes for a message and for a delivery, counted by valgrind: a minute or two, on a busy machine
# more, but the counts are the same.
bench-instructions: $(STAMP)
	$(PY) bench/instructions/work.py

# What a message of each kind of source costs, beside a plain one; with valgrind also instructions.
bench-sources: $(STAMP)
	$(PY) bench/sources.py

# Nodes and three log servers beside a daemon alone: rates, processor time, instructions, catching up, memory, what is
# lost with a node. `python bench/cluster/all.py` takes the quick forms, ten minutes on two cores that do nothing else.
bench-cluster: $(STAMP)
	$(PY) bench/cluster/all.py --full

# A million windows, longer rounds, pictures for docs/benchmarks.md, the alternatives, and a cluster: an hour.
bench-full: $(STAMP)
	$(PY) bench/all.py --full
	$(MAKE) bench-rivals bench-cluster

# Compares hookbundle with Celery, plain Pykka, SQLite and bytewax, which have their own virtualenv.
bench-rivals: $(STAMP) $(RIVALS)
	bench/rivals/install-redis.sh
	$(PY) bench/rivals/run.py

$(RIVALS): bench/rivals/requirements.txt
	python3 -m venv .venv-rivals
	.venv-rivals/bin/pip install --quiet --upgrade pip
	.venv-rivals/bin/pip install --quiet -r bench/rivals/requirements.txt
	touch $(RIVALS)

clean:
	rm -rf .venv .venv-rivals build site *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache htmlcov .coverage

# Installs the lock file with hashes, then the package itself in editable form. The stamp depends on the
# requirements, so a change of them installs again.
$(STAMP): setup.cfg pyproject.toml requirements/dev.txt
	python3 -m venv .venv
	.venv/bin/pip install --quiet --require-hashes -r requirements/dev.txt
	.venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

# What a release publishes, in dist/: built of what is committed, installed beside the locked dependencies, and run.
dist:
	packaging/dist.sh

# Renews the lock files; needed after a change of the dependencies in setup.cfg.
COMPILE := .venv/bin/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock: $(STAMP)
	$(COMPILE) -o requirements/runtime.txt setup.cfg
	$(COMPILE) --extra cluster -o requirements/cluster.txt setup.cfg
	$(COMPILE) --extra dev -o requirements/dev.txt setup.cfg
	$(COMPILE) --all-build-deps --only-build-deps -o requirements/build.txt pyproject.toml
