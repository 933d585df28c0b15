#!/bin/sh
# Runs what takes too long for each change: all Swift tests under both sanitizers, the tests of memory, of processes and
# of failures with CPython's debug allocator, then every test under each other instruction set of this processor.
set -eu
cd "$(dirname "$0")/.."
extras=test,exchange
. tools/environment.sh
say "sanitizers"
make sanitize

say "memory, processes and failures with CPython's debug allocator"
(
    cd python/tests
    PYTHONMALLOC=debug ../../.venv/bin/python -m pytest -q -m "not slow" test_extension_arguments.py \
        test_failing_allocations.py test_gil.py test_hostile_files.py test_interrupts.py test_limits.py test_memory.py \
        test_processes.py test_subinterpreters.py
)

for set in $(.venv/bin/python tools/other_instruction_sets.py); do
    say "all tests on $set"
    CEP_INSTRUCTION_SET=$set ./test -q
done
