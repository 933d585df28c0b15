#!/bin/sh
# Writes the reference of the Swift engine into the given folder: pages made by DocC from the comments of public
# declarations, for a site that has them under /swift. Any warning is an error. Public declarations are read from the
# modules built for the extension, so that nothing is compiled twice.
set -eu
cd "$(dirname "$0")/.."
output=$1
graphs=build/symbol-graphs
release=.build/release
toolchain=$(dirname "$(command -v swift)")

swift build -c release --quiet --product cep-static
rm -rf "$graphs" "$output"
mkdir -p "$graphs" "$(dirname "$output")"
# shellcheck disable=SC2046 # a list of words
swift symbolgraph-extract -module-name CEPEngine -minimum-access-level public -output-dir "$graphs" \
    -target "$("$toolchain/clang" -dumpmachine)" -I "$release/Modules" $(pkg-config --cflags openblas) \
    -Xcc -fmodule-map-file=Sources/COpenBLAS/module.modulemap \
    -Xcc -fmodule-map-file="$release/CVectorKernels.build/module.modulemap"
"$toolchain/docc" convert --warnings-as-errors \
    --fallback-display-name CEPEngine --fallback-bundle-identifier cep.CEPEngine \
    --additional-symbol-graph-dir "$graphs" \
    --transform-for-static-hosting --hosting-base-path swift --output-path "$output"
