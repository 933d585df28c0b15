#!/bin/sh
# Runs the checks that take too long for each change, an hour or two: all Swift tests under both sanitizers, memcheck, the
# tests of memory, of processes and of failures with CPython's debug allocator, ten minutes of fuzzing, the wheel on every
# CPython of the machine, every test (including slow ones) under each instruction set of this processor, and the planted
# defects.
set -eu
cd "$(dirname "$0")/.."
extras=test,release,fuzz,exchange
packages=valgrind
. tools/environment.sh
say "sanitizers"
make sanitize
say "memcheck"
tools/memcheck.sh

say "memory, processes and failures with CPython's debug allocator"
(
    cd python/tests
    PYTHONMALLOC=debug ../../.venv/bin/python -m pytest -q -m "" test_extension_arguments.py \
        test_failing_allocations.py test_gil.py test_hostile_files.py test_interrupts.py test_limits.py test_memory.py \
        test_processes.py test_subinterpreters.py
)

say "fuzzing"
make fuzz SECONDS=600
say "the wheel"
make wheel

say "all tests, the slow ones included"
./test -m ""
for set in $(.venv/bin/python tools/other_instruction_sets.py); do
    say "all tests on $set"
    CEP_INSTRUCTION_SET=$set ./test -q -m ""
done

say "planted defects"
make mutation
