# Sourced by ./demo, ./test and .ci/run: installs cep in .venv on a Debian machine with a Swift toolchain, with the
# extras in $extras and the Debian packages in $packages. If $build_tests is not empty, the Swift tests are built at the
# same time. If $cep_is_installed is not empty, nothing is installed. Prints what it does; can be run again.
set -eu

# Begins a section, and prints the duration of the one before.
section_began=
say() {
    now=$(date +%s)
    [ -z "$section_began" ] || printf -- '-- %d s\n' $((now - section_began))
    section_began=$now
    printf '\n== %s\n' "$*"
}
[ -z "${cep_is_installed:-}" ] || return 0

if ! command -v swift >/dev/null; then
    echo "cep is built with Swift 6.2 or newer, but swift is not on PATH: see https://www.swift.org/install" >&2
    exit 1
fi

missing=
for package in gcc libc6-dev pkg-config libopenblas-dev python3-dev libpython3-dev python3-venv ${packages:-}; do
    case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        *' installed') ;;
        *) missing="$missing $package" ;;
    esac
done
if [ -n "$missing" ]; then
    root=
    [ "$(id -u)" -eq 0 ] || root=sudo
    say "installing Debian packages:$missing"
    $root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

if [ ! -x .venv/bin/python ]; then
    say "creating the virtual environment .venv"
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    done
    "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --upgrade pip
fi

say "building cep and installing it into .venv, with its Python packages"
if [ -n "${build_tests:-}" ]; then
    # In a separate folder, because two builds cannot share one.
    swift build --build-tests --quiet --scratch-path .build/tests &
fi
.venv/bin/python -m pip install --quiet ".[$extras]"
[ -z "${build_tests:-}" ] || wait $!
