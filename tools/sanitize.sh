#!/bin/sh
# Runs the Swift tests and Tests/CProgram under a sanitizer: address (with leaks) or thread. More arguments go to
# swift test: --filter CEPABITests for those of the C interface alone.
#
# OpenBLAS is not instrumented: what it reads and writes is not seen. It runs on one thread, the caller's, so that
# ThreadSanitizer has nothing to say of it either, and nothing is suppressed.
set -eu
cd "$(dirname "$0")/.."
sanitizer=$1
shift

# Leaks in the Swift tests are those of the test library; the C program has none.
ASAN_OPTIONS=detect_leaks=0 swift test --sanitize="$sanitizer" --scratch-path ".build/$sanitizer" --quiet "$@"
tools/c_program.sh "$sanitizer"
