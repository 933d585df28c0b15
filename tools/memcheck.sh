#!/bin/sh
# Runs tools/memcheck.py under valgrind's memcheck. tools/memcheck.supp lists suppressed reports, with reasons.
set -eu
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: apt-get install valgrind" >&2
    exit 1
fi
# memcheck does not support AVX-512, and sees allocations of CPython only if they use malloc.
CEP_INSTRUCTION_SET=avx2 CEP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=1 PYTHONMALLOC=malloc \
    valgrind --quiet --error-exitcode=1 --fair-sched=yes --num-callers=30 --suppressions=tools/memcheck.supp \
    .venv/bin/python tools/memcheck.py
