#!/bin/sh
# Runs the Swift tests and Tests/CProgram under a sanitizer: address (with leaks) or thread. More arguments go to
# swift test: --filter CEPABITests for those of the C interface alone.
#
# OpenBLAS is not instrumented, so its reads and writes are not checked. It runs on the caller's thread only, so
# ThreadSanitizer needs no suppressions.
set -eu
cd "$(dirname "$0")/.."
sanitizer=$1
shift

# The test library leaks in the Swift tests. The C program must not leak.
ASAN_OPTIONS=detect_leaks=0 swift test --sanitize="$sanitizer" --scratch-path ".build/$sanitizer" --quiet "$@"
tools/c_program.sh "$sanitizer"
