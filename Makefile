# make demo and make test are all a newcomer needs: each makes .venv, builds, installs and runs. `make help` lists the rest.
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
# Handed to pip when it installs PyTorch; where the default build brings CUDA along, point it at a CPU build.
TORCH_PIP_ARGS ?=
PYTEST_ARGS ?=
SOAK_ARGS ?=
# The oldest JAX that cenote.jax claims to work with: its handlers are compiled against that one's headers.
JAX_OLDEST := 0.5.0
# An environment of its own: the peers of the benchmark have requirements that no user and no test should meet.
BENCH_VENV ?= .venv-bench
BENCH_ARGS ?=
BENCH_OUT ?= build/bench/benchmarks.json
BENCH_DOCS ?= docs

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Of the frameworks a part is imported: compiling all of their modules at once takes half a minute.
export PIP_NO_COMPILE = 1
# Tests and tools must see the installed package: neither a stray PYTHONPATH nor the working directory may shadow it.
unexport PYTHONPATH
export PYTHONSAFEPATH = 1

BIN := $(VENV)/bin
PY := $(BIN)/python
PIP := $(PY) -m pip
STAMPS := $(VENV)/stamps
WHEEL = $(wildcard $(VENV)/wheel/*.whl)
# cmake and ninja come from PyPI into the environment, so that a machine without them builds too.
TOOLPATH := PATH="$(abspath $(BIN)):$$PATH"
SOURCES := $(shell find src csrc -type f ! -name '*.so' ! -name '*.pyc' 2>/dev/null) \
           $(wildcard CMakeLists.txt pyproject.toml README.md LICENSE)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # several steps install into the same environment
.PHONY: help demo test quick thorough soak check sanitize tsan aarch64 package generate format dev bench clean torch frameworks jax-oldest says-installed always

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo "PYTHON=$(PYTHON) VENV=$(VENV) TORCH=$(TORCH) TORCH_PIP_ARGS=$(TORCH_PIP_ARGS) PYTEST_ARGS=$(PYTEST_ARGS) BENCH_ARGS=$(BENCH_ARGS)"

# The lab's folder is the demo's own and made anew: a run that was stopped, or of another version, is not gone on with.
demo: $(STAMPS)/demo ## install with the demo's needs and run it: pictures and a page of pooling, then a short run of the lab
	$(BIN)/cenote demo
	rm -rf cenote-demo/lab
	$(BIN)/cenote lab run --arms demo --seeds 3 --epochs 4 --batch-size 16 --out cenote-demo/lab

# Each worker begins with a stretch of neighbouring tests and takes from the others when it is through: what neighbours
# share (fixtures of a module, an import, a function that JAX compiled) is made in one worker instead of in all.
test: $(STAMPS)/dev frameworks check says-installed ## everything: install, checks, all tests
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal -m "not sweep" $(PYTEST_ARGS)

quick: $(STAMPS)/dev says-installed ## the tests that need neither patience nor a framework (under 3 minutes)
	$(BIN)/pytest -n auto --maxprocesses 4 -m "not slow and not torch and not jax and not keras" $(PYTEST_ARGS)

thorough: $(STAMPS)/dev says-installed ## fifteen times as many drawn cases as usual, and every published sample (half an hour)
	CENOTE_THOROUGH=1 $(BIN)/pytest -n auto --maxprocesses 4 --timeout 3600 tests/test_against_oracle.py tests/test_spans.py $(PYTEST_ARGS)
	$(BIN)/pytest -n auto --maxprocesses 4 -m sweep $(PYTEST_ARGS)

soak: $(STAMPS)/dev says-installed ## a million mixed calls: memory stays, bits stay (SOAK_ARGS='--calls 20000' for fewer)
	$(PY) scripts/soak.py $(SOAK_ARGS)

# --- the environment: one stamp per step, each redone only when what it depends on has changed --------------------

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "cenote needs Python 3.11 or newer; $(PYTHON) is older or missing. Say: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/build-tools: $(STAMPS)/venv pyproject.toml scripts/requirements.py
	@$(PY) scripts/requirements.py build-system build > $(VENV)/requirements-build.txt
	$(PIP) install -q -r $(VENV)/requirements-build.txt
	@touch $@

$(STAMPS)/dev-tools: $(STAMPS)/build-tools
	@$(PY) scripts/requirements.py dev demo > $(VENV)/requirements-dev.txt
	$(PIP) install -q -r $(VENV)/requirements-dev.txt
	@touch $@

# The list of sources is itself a source: a file that was removed must lead to a new wheel as well.
$(STAMPS)/sources: always $(STAMPS)/venv
	@echo "$(SOURCES)" | tr ' ' '\n' | LC_ALL=C sort > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

# Of the oldest jaxlib the headers alone, whatever Python there is; what is compiled against them runs with newer ones too.
XLA := $(VENV)/jaxlib-headers
XLA_INCLUDE = $(abspath $(XLA)/include)

$(STAMPS)/jaxlib-headers: $(STAMPS)/venv
	@rm -rf $(XLA) && mkdir -p $(XLA)
	@if $(PIP) install -q --no-deps --only-binary :all: --python-version 3.11 --target $(XLA)/all "jaxlib==$(JAX_OLDEST)"; \
	then mv $(XLA)/all/jaxlib/include $(XLA)/include && rm -rf $(XLA)/all && touch $@; \
	else echo "*** the headers of jaxlib $(JAX_OLDEST) could not be had: this build has no cenote.jax ***"; fi

# The package is installed as its users get it, from a wheel, never in place: what packaging forgets, the tests miss.
# No build isolation, so that the build folder stays valid and a change of Python files alone compiles nothing.
$(STAMPS)/wheel: $(SOURCES) $(STAMPS)/sources $(STAMPS)/build-tools $(STAMPS)/jaxlib-headers
	rm -rf $(VENV)/wheel
	$(PIP) wheel -q --no-deps --no-build-isolation -C build-dir='build/{wheel_tag}' \
	    -C cmake.define.CENOTE_XLA_INCLUDE=$(XLA_INCLUDE) -w $(VENV)/wheel .
	$(PIP) install -q --no-deps --force-reinstall $(VENV)/wheel/*.whl
	@touch $@

$(STAMPS)/demo: $(STAMPS)/wheel
	$(PIP) install -q "$$(echo $(VENV)/wheel/*.whl)[demo,lab]"
	@touch $@

$(STAMPS)/dev: $(STAMPS)/wheel $(STAMPS)/dev-tools
	$(PIP) install -q "$$(echo $(VENV)/wheel/*.whl)[dev,demo]"
	@touch $@

# Test-only needs, large, and not to be had everywhere: without one of them its tests skip and say so.
frameworks: torch $(STAMPS)/jax $(STAMPS)/keras $(STAMPS)/onnx $(STAMPS)/lab $(STAMPS)/explorer

$(STAMPS)/jax $(STAMPS)/keras $(STAMPS)/onnx $(STAMPS)/lab $(STAMPS)/explorer: $(STAMPS)/venv pyproject.toml scripts/requirements.py
	@name=$(notdir $@); $(PY) scripts/requirements.py test-$$name > $(VENV)/requirements-$$name.txt; \
	echo "installing what the tests with $$name run with"; \
	if $(PIP) install -q -r $(VENV)/requirements-$$name.txt; then touch $@; \
	else echo "*** not everything for the tests with $$name could be installed: they will be skipped ***"; fi

torch: $(STAMPS)/venv
	@if [ ! -e $(STAMPS)/torch ]; then \
	    echo "installing $(TORCH) for the tests of cenote.torch"; \
	    if $(PIP) install $(TORCH_PIP_ARGS) "$(TORCH)"; then touch $(STAMPS)/torch; \
	    else echo "*** $(TORCH) could not be installed: the tests that compare with PyTorch will be skipped ***"; fi; \
	fi

says-installed: $(STAMPS)/dev
	@$(PY) -c 'import cenote, sys; f = cenote.__file__; print("testing", f); sys.exit(not f.startswith(sys.prefix))'

# --- checks -------------------------------------------------------------------------------------------------------

CXX_SOURCES = $(shell find csrc tests/native bench -name '*.cpp' -o -name '*.hpp' 2>/dev/null)

# What reads the types in the explorer's JSDoc comments: a tool of `make check` alone, nothing is compiled to ship.
TYPESCRIPT := typescript@5.9.3
TSC := $(VENV)/node/node_modules/.bin/tsc

$(STAMPS)/$(TYPESCRIPT): $(STAMPS)/venv
	@unread="the types of the explorer's modules are not checked"; \
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then echo "*** no Node with npm: $$unread ***"; \
	elif npm install --silent --no-audit --no-fund --ignore-scripts --fetch-retries 1 --fetch-timeout 30000 \
	    --prefix $(VENV)/node $(TYPESCRIPT); then touch $@; \
	else echo "*** $(TYPESCRIPT) could not be installed: $$unread ***"; fi

check: $(STAMPS)/dev-tools $(STAMPS)/$(TYPESCRIPT) ## style, types, layers and spelling; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/clang-format --dry-run -Werror $(CXX_SOURCES)
	$(BIN)/codespell
	[ ! -e $(STAMPS)/$(TYPESCRIPT) ] || $(TSC) --project tsconfig.json

format: $(STAMPS)/dev-tools ## rewrite Python and C++ in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CXX_SOURCES)

# --- other builds -------------------------------------------------------------------------------------------------

COMPILED = src/cenote/native/_core*.so src/cenote/jax/_xla*.so
CMAKE = $(TOOLPATH) cmake -S . -G Ninja -DPython_EXECUTABLE=$(abspath $(PY))

dev: $(STAMPS)/build-tools $(STAMPS)/jaxlib-headers ## a quick build into src/, for PYTHONPATH=src python
	$(CMAKE) -B build/dev -DCENOTE_XLA_INCLUDE=$(XLA_INCLUDE)
	$(TOOLPATH) cmake --build build/dev
	rm -f $(COMPILED) && cp build/dev/_core*.so src/cenote/native/
	! [ -e $(XLA_INCLUDE) ] || cp build/dev/_xla*.so src/cenote/jax/

SANITIZED = build/sanitize/site
# libstdc++ beside libasan: Python is no C++ program, and libasan must find the real throw when it starts.
PRELOAD = $(shell $${CXX:-c++} -print-file-name=libasan.so) $(shell $${CXX:-c++} -print-file-name=libstdc++.so)
UNDER_SANITIZERS = LD_PRELOAD="$(PRELOAD)" ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
    PYTHONMALLOC=malloc PYTHONPATH=$(abspath $(SANITIZED))

sanitize: $(STAMPS)/dev ## native tests and core Python tests under the address and undefined-behaviour sanitizers
	$(CMAKE) -B build/sanitize -DCENOTE_SANITIZE=ON -DCENOTE_NATIVE_TESTS=ON
	$(TOOLPATH) cmake --build build/sanitize
	cd build/sanitize && UBSAN_OPTIONS=print_stacktrace=1 $(TOOLPATH) ctest --output-on-failure --no-tests=error
	rm -rf $(SANITIZED) && mkdir -p $(SANITIZED) && cp -R src/cenote $(SANITIZED)/ && rm -f $(COMPILED:src/%=$(SANITIZED)/%)
	cp build/sanitize/_core*.so $(SANITIZED)/cenote/native/
	$(UNDER_SANITIZERS) $(PY) -c 'import cenote.native._core as c; print("sanitized:", c.__file__); assert "/$(SANITIZED)/" in c.__file__'
	$(UNDER_SANITIZERS) $(BIN)/pytest -n auto --maxprocesses 4 -m "sanitize and not torch" -p no:cacheprovider \
	    --ignore-glob='*/test_torch_*' --ignore-glob='*/test_jax*' --ignore-glob='*/test_keras*' $(PYTEST_ARGS)

tsan: $(STAMPS)/build-tools ## native tests under the thread sanitizer
	$(CMAKE) -B build/tsan -DCENOTE_TSAN=ON -DCENOTE_NATIVE_TESTS=ON -DCENOTE_MODULE=OFF
	$(TOOLPATH) cmake --build build/tsan
	cd build/tsan && TSAN_OPTIONS=halt_on_error=1 $(TOOLPATH) ctest --output-on-failure --no-tests=error

# What is correct on NEON; how fast it is an emulator cannot tell. Compiler and emulator come from the system, not PyPI.
aarch64: $(STAMPS)/build-tools ## native tests of the NEON target, compiled for AArch64 and run under QEMU
	@for tool in aarch64-linux-gnu-g++ qemu-aarch64; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	[ -z "$$missing" ] || { echo "missing:$$missing. On Debian and Ubuntu: apt-get install g++-aarch64-linux-gnu qemu-user"; exit 1; }
	$(CMAKE) -B build/aarch64 -DCMAKE_TOOLCHAIN_FILE=scripts/aarch64.cmake -DCENOTE_NATIVE_TESTS=ON -DCENOTE_MODULE=OFF
	$(TOOLPATH) cmake --build build/aarch64
	cd build/aarch64 && $(TOOLPATH) ctest --output-on-failure --no-tests=error

OLDEST := build/jax-oldest
jax-oldest: $(STAMPS)/wheel $(OLDEST)/made ## the tests of cenote.jax with the oldest JAX that it claims, in an environment of their own
	$(OLDEST)/venv/bin/python -m pip install -q --no-deps --force-reinstall $(VENV)/wheel/*.whl
	$(OLDEST)/venv/bin/python -m pytest tests/test_jax*.py $(PYTEST_ARGS)

$(OLDEST)/made: Makefile
	$(PYTHON) -m venv $(OLDEST)/venv
	$(OLDEST)/venv/bin/python -m pip install -q "jax==$(JAX_OLDEST)" "jaxlib==$(JAX_OLDEST)" "numpy>=2" \
	    flatbuffers flax hypothesis ml_dtypes pillow pytest pytest-timeout typer rich
	@touch $@

package: $(STAMPS)/venv ## sdist, then from it an isolated wheel, installed alone into a fresh environment with NumPy only
	rm -rf build/package && mkdir -p build/package
	$(PYTHON) -m venv build/package/venv
	build/package/venv/bin/python -m pip install -q build
	build/package/venv/bin/python -m build --outdir build/package/dist .
	build/package/venv/bin/python -m pip install -q build/package/dist/*.whl
	cd build/package && venv/bin/python -c 'import cenote, numpy; print(cenote.max_pool(numpy.eye(4), 2)); print(cenote.info())'

generate: $(STAMPS)/dev ## rewrite the files that are made from others (stub, tables in the documents)
	$(PY) scripts/generate.py

# The wheel is built once, in the usual environment: a second one would compile everything again.
bench: $(STAMPS)/wheel ## install the peers and time everything against them (under 20 minutes); BENCH_ARGS='--quick' or '--only REGEX'
	$(MAKE) VENV=$(BENCH_VENV) torch $(BENCH_VENV)/stamps/peers
	$(BENCH_VENV)/bin/python -m pip install -q $(VENV)/wheel/*.whl
	$(BENCH_VENV)/bin/python -m pip install -q --force-reinstall --no-deps $(VENV)/wheel/*.whl
	PYTHONPATH=$(CURDIR) $(BENCH_VENV)/bin/python -m bench run --out $(BENCH_OUT) $(BENCH_ARGS)
	PYTHONPATH=$(CURDIR) $(BENCH_VENV)/bin/python -m bench report $(BENCH_OUT) --docs $(BENCH_DOCS)

$(STAMPS)/peers: $(STAMPS)/venv bench/install.py
	$(PY) bench/install.py
	@touch $@

clean: ## remove everything that make has made
	rm -rf $(VENV) $(BENCH_VENV) build dist cenote-demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis $(COMPILED)
	find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +
