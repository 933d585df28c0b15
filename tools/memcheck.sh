#!/bin/sh
# Runs tools/memcheck.py under valgrind's memcheck. tools/memcheck.supp has what it leaves out, and why.
set -eu
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
    echo "valgrind is missing: apt-get install valgrind" >&2
    exit 1
fi
# memcheck knows no AVX-512, and sees what it allocated only where CPython takes its memory from malloc.
CEP_INSTRUCTION_SET=avx2 CEP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=1 PYTHONMALLOC=malloc \
    valgrind --quiet --error-exitcode=1 --fair-sched=yes --num-callers=30 --suppressions=tools/memcheck.supp \
    .venv/bin/python tools/memcheck.py
