#!/bin/sh
# Builds the C kernels for arm64 with the program of Tests/KernelProgram, and runs it in an emulator. Needs the Debian
# packages gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user.
set -eu
cd "$(dirname "$0")/.."
mkdir -p build
for source in Sources/*/*.c; do
    clang --target=aarch64-linux-gnu -std=c11 -O2 -Wall -Wextra -Werror -c -o "build/arm64-$(basename "$source").o" \
        "$source" -ISources/CVectorKernels/include -ISources/CCEP/include -isystem /usr/aarch64-linux-gnu/include
done
clang --target=aarch64-linux-gnu -std=c11 -O2 -Wall -Wextra -Werror -static -o build/kernels-arm64 \
    Tests/KernelProgram/main.c build/arm64-neon.c.o build/arm64-instruction_sets.c.o -lm \
    -ISources/CVectorKernels/include -isystem /usr/aarch64-linux-gnu/include
qemu-aarch64 build/kernels-arm64
