#!/bin/sh
# Writes the reference of the Swift engine into the folder given: pages that DocC makes from the comments of its public
# declarations. They are for a site that has them under /swift.
set -eu
cd "$(dirname "$0")/.."
output=$1
graphs=build/symbol-graphs

swift package dump-symbol-graph --minimum-access-level public
rm -rf "$graphs" "$output"
mkdir -p "$graphs" "$(dirname "$output")"
cp "$(dirname "$(swift build --show-bin-path)")"/symbolgraph/CEPEngine*.symbols.json "$graphs"
"$(dirname "$(command -v swift)")/docc" convert \
    --fallback-display-name CEPEngine --fallback-bundle-identifier cep.CEPEngine \
    --additional-symbol-graph-dir "$graphs" \
    --transform-for-static-hosting --hosting-base-path swift --output-path "$output"
