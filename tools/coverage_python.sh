#!/bin/sh
# Measures the lines of python/cep, of the engine and of the extension that the Python tests run, in lcov's format:
# build/coverage/python.lcov and extension.lcov. Arguments go to pytest. The package is built separately, with counters,
# in build/coverage/package.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/coverage
python=$PWD/.venv/bin/python
toolchain=$(dirname "$(readlink -f "$(command -v swift)")")

rm -rf "$out/package" "$out/profiles" "$out"/python.*
mkdir -p "$out/package"
cp -R python/cep "$out/package/cep"
swift build -c release --enable-code-coverage --product cep-static --scratch-path "$out/release"
for source in python/src/*.c; do
    "$toolchain/clang" -std=c11 -O1 -fPIC -fprofile-instr-generate -fcoverage-mapping -DPy_LIMITED_API=0x030B0000 \
        -I"$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')" -ISources/CCEP/include \
        -c "$source" -o "$out/package/$(basename "$source" .c).o"
done
# shellcheck disable=SC2046,SC2086 # words
swiftc -emit-library -static-stdlib -profile-generate "$out"/package/*.o "$out/release/release/libcep-static.a" \
    $(pkg-config --libs openblas) -o "$out/package/cep/_cep.abi3.so"

export PYTHONPATH="$out/package" LLVM_PROFILE_FILE="$out/profiles/%p.profraw"
# Leaves out tests that fail with counters: those of the extension's symbols and of two interpreters. ./test runs them.
"$python" -m coverage run -m pytest -q "$@" || [ $? -eq 1 ]
"$python" -m coverage combine
"$python" -m coverage lcov -o "$out/python.lcov"
"$toolchain/llvm-profdata" merge -failure-mode=all -o "$out/extension.profdata" "$out"/profiles/*.profraw
"$toolchain/llvm-cov" export -format=lcov -instr-profile "$out/extension.profdata" "$out/package/cep/_cep.abi3.so" \
    -sources Sources python/src >"$out/extension.lcov"
