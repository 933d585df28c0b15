# ./test creates .venv, which these targets use. `make lint`, `make docs` and `make wheel` need its extras lint, docs
# and release.

SWIFT_SOURCES = Package.swift Sources Tests Examples
C_SOURCES = $(wildcard python/src/*.[ch] Sources/C*/*.[ch] Sources/C*/include/*.h Tests/CProgram/*.[ch] Tests/KernelProgram/*.c Examples/C/*.c benchmarks/*.c fuzzing/*.[ch])
PYTHON_SOURCES = python fuzzing notebooks benchmarks results docs/conf.py docs/extensions tools setup.py
BIN = .venv/bin

.PHONY: help develop test nightly mutation coverage sanitize memcheck lint arm64 format notebooks docs docs-swift fuzz wheel wheel-check clean

help:
	@echo "make develop    build the extension in place, so that Python edits need no reinstallation"
	@echo "make test       run all tests; installs what they need"
	@echo "make nightly    run the long checks listed in tools/nightly.sh, for one or two hours"
	@echo "make sanitize   run the Swift tests and the C program under AddressSanitizer and ThreadSanitizer"
	@echo "make memcheck   run a short script under valgrind"
	@echo "make mutation   plant defects in a copy and check that tests detect them: results/mutation.md, half an hour"
	@echo "make coverage   show which lines the tests run, a quarter of an hour"
	@echo "make lint       check formatting, types and prose, and compile the C header with three compilers"
	@echo "make arm64      compile the C sources for arm64 and test their kernels in an emulator"
	@echo "make format     format all sources"
	@echo "make notebooks  execute all notebooks and save them with their outputs"
	@echo "make docs       build the documentation site in build/docs; any warning is an error"
	@echo "make docs-swift build the Swift reference alone, in build/docs/swift"
	@echo "make wheel      build sdist and wheel in dist and test them on every CPython of this machine"
	@echo "make wheel-check  the same on one CPython, with some of the tests"
	@echo "make fuzz       search for calls and files that cause failures, for SECONDS (600)"
	@echo "make clean      remove everything that was built"

develop:
	$(BIN)/python -m pip install --quiet --editable ".[test,lint]"

test:
	./test

nightly:
	tools/nightly.sh

sanitize:
	tools/sanitize.sh address
	tools/sanitize.sh thread

memcheck:
	tools/memcheck.sh

mutation:
	$(BIN)/python tools/mutation.py

coverage:
	$(BIN)/python -m pip install --quiet coverage
	tools/coverage_swift.sh
	tools/coverage_python.sh

lint:
	swift format lint --strict --recursive --parallel $(SWIFT_SOURCES)
	$(BIN)/clang-format --dry-run -Werror $(C_SOURCES)
	$(BIN)/ruff check $(PYTHON_SOURCES)
	$(BIN)/ruff format --check $(PYTHON_SOURCES)
	$(BIN)/mypy
	$(BIN)/mypy python/tests/typed_client.py
	$(BIN)/pyright
	$(BIN)/python tools/prose.py
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff
	gcc -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c Sources/CCEP/include/cep.h
	g++ -std=c++11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c++ Sources/CCEP/include/cep.h
	clang -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -x c Sources/CCEP/include/cep.h

arm64:
	tools/kernels_arm64.sh

format:
	swift format --in-place --recursive --parallel $(SWIFT_SOURCES)
	$(BIN)/clang-format -i $(C_SOURCES)
	$(BIN)/ruff check --fix $(PYTHON_SOURCES)
	$(BIN)/ruff format $(PYTHON_SOURCES)

notebooks:
	$(BIN)/python tools/notebooks.py

docs:
	rm -rf build/docs
	$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going docs build/docs
	@if command -v swift >/dev/null; then $(MAKE) --no-print-directory docs-swift; \
	else echo "swift is not on PATH: the Swift reference was not built"; fi

docs-swift:
	tools/swift_reference.sh build/docs/swift

wheel:
	$(BIN)/python tools/wheel/build_wheel.py
	$(BIN)/python tools/wheel/try_wheel.py

wheel-check:
	$(BIN)/python tools/wheel/build_wheel.py --quick
	$(BIN)/python tools/wheel/try_wheel.py --quick

SECONDS = 600
fuzz:
	fuzzing/run $(SECONDS)
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q python/tests/test_stateful.py python/tests/test_damaged_files.py \
		python/tests/test_divergence.py

clean:
	rm -rf .build build dist .venv python/*.egg-info python/cep/*.so
