#!/bin/sh
# Builds Tests/CProgram with the engine and runs it, with the given sanitizer (address or thread) or without one. Then
# checks that the functions declared by cep.h are defined by the library and called by the program.
set -eu
cd "$(dirname "$0")/.."
sanitizer=${1:-}
output=build/c_program${sanitizer:+-$sanitizer}
rm -rf "$output"
mkdir -p "$output"

# The archiver keeps the objects of deleted files, so the library is built again.
if [ -z "$sanitizer" ]; then
    library=.build/release/libcep-static.a
    rm -f "$library"
    swift build -c release --quiet --product cep-static
else
    library=.build/$sanitizer/debug/libcep-static.a
    rm -f "$library"
    swift build --sanitize="$sanitizer" --scratch-path ".build/$sanitizer" --quiet --product cep-static
fi
# shellcheck disable=SC2086,SC2046 # lists of words
{
    for source in Tests/CProgram/*.c; do
        clang -std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror ${sanitizer:+-fsanitize=$sanitizer} \
            -ISources/CCEP/include -c "$source" -o "$output/$(basename "$source").o"
    done
    swiftc -static-stdlib ${sanitizer:+-use-ld=lld -sanitize=$sanitizer} "$output"/*.o "$library" \
        $(pkg-config --libs openblas) -o "$output/program"
}
export LSAN_OPTIONS=suppressions=tools/leaks.supp:print_suppressions=0
"$output/program" >"$output/checks.txt" || { cat "$output/checks.txt"; exit 1; }
cat "$output/checks.txt"

declared() { clang -E -P "$@" | grep -oE '\bcep_\w+ ?\(' | tr -d ' (' | sort -u; }
declared Sources/CCEP/include/cep.h >"$output/declared"
declared Sources/CCEP/include/cep_message.h Sources/CVectorKernels/include/vector_kernels.h \
    Sources/CVectorKernels/include/arithmetic.h >"$output/internal"
nm --defined-only --extern-only "$library" 2>/dev/null | awk '$2 == "T" && $3 ~ /^cep_/ { print $3 }' | sort -u |
    comm -23 - "$output/internal" >"$output/defined"
awk '/^cep_/ { print $1 }' "$output/checks.txt" | sort -u >"$output/called"
for list in defined called; do
    if ! diff "$output/declared" "$output/$list"; then
        echo "< is declared by cep.h but not $list; > is $list but not declared" >&2
        exit 1
    fi
done
echo "$(wc -l <"$output/declared") functions: declared, defined and called are the same"
