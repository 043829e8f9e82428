# `make demo` and `make test` need Python 3.11 or newer with venv, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
LOCALE := templates/locale
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' digest/__init__.py)

.PHONY: demo test lint types check kills bench-poll bench-hostile bench-send bench-month bench-idle catalogues reference lock image release audit licences clean

demo: $(VENV)/.installed ## live through one whole day on this machine
	$(BIN)/digest demo $(DEMO)

test: $(VENV)/.installed-dev ## run every test; the last line says how many ran
	$(BIN)/pytest -n 2 --dist loadgroup

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

check: lint types test

kills: $(VENV)/.installed-dev ## kill polls, senders and the making of editions at hundreds of moments; ask, race and erase by the thousand; takes more than an hour
	KILLS=100 $(BIN)/pytest tests/feeds/test_poll_killed.py
	KILLS=200 MESSAGES=10000 $(BIN)/pytest -s tests/delivery/test_deliver_killed.py
	KILLS=100 MESSAGES=10000 $(BIN)/pytest tests/delivery/test_deliver_stopped.py
	POINTS=20 $(BIN)/pytest tests/delivery/test_deliver_outage.py
	MESSAGES=10000 THROTTLED=2000 $(BIN)/pytest tests/delivery/test_deliver_pace.py
	KILLS=100 $(BIN)/pytest tests/delivery/feedback/test_collect.py
	ROUNDS=100 $(BIN)/pytest tests/test_schedulers_together.py
	RACES=1000 $(BIN)/pytest tests/delivery/test_leave_in_time.py
	POINTS=25 READERS=100000 $(BIN)/pytest tests/editions/test_freeze_killed.py
	$(BIN)/pytest tests/web/test_scanners.py
	SAMPLES=2000 $(BIN)/pytest tests/web/test_signup.py
	READERS=4000 $(BIN)/pytest tests/subscribers/test_data.py
	$(BIN)/python -m bench.import

bench-poll: $(VENV)/.installed-dev $(VENV)/peer/.installed ## polls beside `reader`, which gets an environment of its own
	$(BIN)/python bench/poll.py --peer-python $(VENV)/peer/bin/python

bench-hostile: $(VENV)/.installed-dev ## a round beside hostile servers, and the same round alone
	$(BIN)/python -m bench.hostile

bench-send: $(VENV)/.installed-dev $(VENV)/postfix/.unpacked ## sending beside Postfix's own load generator, smtplib and the naive way; freezing
	$(BIN)/python -m bench.send --postfix $(VENV)/postfix
	$(BIN)/python -m bench.freeze

bench-month: $(VENV)/.installed-dev ## a month of 100 feeds and 10,000 subscribers with all its mishaps
	$(BIN)/python -m bench.month

bench-idle: $(VENV)/.installed-dev ## what the service costs while nothing happens, watched for ten minutes
	$(BIN)/python -m bench.idle

catalogues: $(VENV)/.installed-dev ## bring the phrases of templates and code into every catalogue
	$(BIN)/pybabel -q extract -F $(LOCALE)/babel.cfg --add-location=file --sort-by-file --width=100 \
	  --project=economic-digest --copyright-holder="the authors" -o $(LOCALE)/messages.pot digest templates
	for file in $(LOCALE)/*.po; do $(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --width=100 \
	  -i $(LOCALE)/messages.pot -o $$file -l $$(basename $$file .po) || exit 1; done

reference: $(VENV)/.installed ## write docs/reference from the code
	$(BIN)/python -m docs.reference.write

image: ## build the container image with the engine at hand
	$(or $(shell command -v docker),$(shell command -v podman),docker) build -t economic-digest \
	  --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse --short HEAD) .

release: $(VENV)/.installed-dev ## make the wheel and the source, and live through a day with them in an empty folder; publishes nothing
	rm -rf dist && $(BIN)/python -m hatchling build -d dist
	$(PYTHON) -m venv dist/try && dist/try/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	cd dist && env -u PYTHONPATH try/bin/digest demo day && test "$$(try/bin/digest --version)" = "digest, version $(VERSION)"
	grep -q "^## $(VERSION)" CHANGELOG.md || echo "CHANGELOG.md has no chapter $(VERSION) yet."
	rm -rf dist/try dist/day && ls -l dist

audit: $(VENV)/audit/.installed ## known holes in what we depend on; asks the network
	$(VENV)/audit/bin/pip-audit --disable-pip --require-hashes -r requirements.lock

licences: $(VENV)/audit/.installed $(VENV)/.installed ## write docs/licences.md
	{ printf '# Licences of what the image holds\n\nWritten by `make licences`; versions stand in `requirements.lock`.\n\n'; \
	  $(VENV)/audit/bin/pip-licenses --python $(BIN)/python --format=markdown --with-urls --no-version \
	  --packages $$(sed -n 's/^\([a-z0-9-]*\)==.*/\1/p' requirements.lock); } > docs/licences.md

lock: ## renew the pinned dependencies; needs uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --extra postgres --group build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --extra postgres --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/peer/.installed: | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/peer
	$(VENV)/peer/bin/python -m pip install --quiet --disable-pip-version-check reader==3.26 sgmllib3k
	touch $@

$(VENV)/audit/.installed: | $(VENV)/bin/python
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit pip-licenses
	touch $@

$(VENV)/postfix/.unpacked: | $(VENV)/bin/python
	mkdir -p $(VENV)/postfix && cd $(VENV)/postfix && apt-get download postfix && dpkg-deb -x postfix_*.deb .
	touch $@

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@
