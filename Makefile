# The commands of this checkout. `make demo` and `make test` need Python 3.11 or newer and nothing else.
#
#   make demo                       install, and run the demonstration
#   make test                       install with the dev extra, and run the whole gate
#   make check                      the fast half of the gate, before a commit
#   make interop                    meet strangers' SMPP: Kannel, opensmppbox, node-smpp and others, installed if we may
#   make fuzz RUNS=1000000          look for what breaks the codec, for longer than the gate does
#   make format                     put the sources and the picture in README.md in order
#   make test PYTHON=python3.13     with another interpreter (the environment is made anew)
#   make test TRIO='trio==0.27.*'   with a certain Trio

PYTHON ?= python3
VENV ?= .venv
TRIO ?=
RUNS ?= 1000000

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Names the interpreter, so that asking for another one makes the environment anew.
MADE := $(VENV)/.made-by-$(notdir $(PYTHON))
# Names the Trio, so that asking for another one installs it.
DEV := $(VENV)/.installed-dev$(if $(TRIO),-$(subst *,x,$(TRIO)))
INSTALLED := $(VENV)/.installed

.PHONY: demo test check interop fuzz format clean

demo: $(INSTALLED)
	$(BIN)/whiteroute demo

test: $(DEV)
	$(BIN)/python -m whiteroute.tools.check

check: $(DEV)
	$(BIN)/python -m whiteroute.tools.check --fast

interop: $(DEV)
	sh tests/interop/install.sh
	$(BIN)/python -m pytest -m "interop or peer" -rs tests/interop tests/peers

fuzz: $(DEV)
	$(BIN)/python tests/fuzz/run.py --learn --runs $(RUNS)

format: $(DEV)
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m whiteroute.tools.floors --write

clean:
	rm -rf $(VENV) .fuzz .interop build dist src/*.egg-info .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "whiteroute needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(INSTALLED): $(MADE) pyproject.toml
	$(PIP) --editable .
	@touch $@

$(DEV): $(MADE) pyproject.toml
	$(PIP) --editable '.[dev]' $(if $(TRIO),'$(TRIO)')
	@rm -f $(VENV)/.installed-dev*
	@touch $(INSTALLED) $@
