#!/bin/sh
# Measures the lines of Sources that the Swift tests run, with each instruction set of this processor, in lcov's format:
# build/coverage/swift.lcov. Built separately, in build/coverage/swift.
set -eu
cd "$(dirname "$0")/.."
out=build/coverage
scratch=$out/swift
toolchain=$(dirname "$(readlink -f "$(command -v swift)")")

swift build --build-tests --enable-code-coverage --scratch-path "$scratch" \
    -Xcc -fprofile-instr-generate -Xcc -fcoverage-mapping
profile=$(dirname "$(swift test --show-codecov-path --scratch-path "$scratch")")/default.profdata
rm -rf "$out/sets" && mkdir "$out/sets"
for set in baseline avx2 avx512; do
    export CEP_INSTRUCTION_SET=$set
    if .venv/bin/python -c 'import cep; cep.Network([1, 1, 1])' 2>/dev/null; then
        swift test --quiet --skip-build --enable-code-coverage --scratch-path "$scratch"
        cp "$profile" "$out/sets/$set.profdata"
    fi
done
"$toolchain/llvm-profdata" merge -o "$out/swift.profdata" "$out"/sets/*.profdata
"$toolchain/llvm-cov" export -format=lcov -instr-profile "$out/swift.profdata" \
    "$scratch/debug/cepPackageTests.xctest" -sources Sources >"$out/swift.lcov"
