#!/bin/sh
# Runs a command that finds nothing in the places given:  hide.sh PLACE... -- COMMAND...
# For that command alone, a folder is empty, and a file is /dev/null. Needs a mount namespace: root has one for the
# asking, others where the system lets them have a user namespace.
set -eu

if [ "${1-}" != --inside ]; then
    user=
    [ "$(id -u)" -eq 0 ] || user="--map-current-user --keep-caps"
    # shellcheck disable=SC2086 # a list of words
    exec unshare --mount $user sh "$0" --inside "$@"
fi
shift
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then
        mount -t tmpfs -o ro none "$1"
    else
        mount --bind /dev/null "$1"
    fi
    shift
done
shift
exec "$@"
