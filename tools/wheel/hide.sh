#!/bin/sh
# Runs a command with the given files and folders hidden:  hide.sh PLACE... -- COMMAND...
# For this command, folders are empty and files are /dev/null. It needs a mount namespace, which root can create, and
# other users if the system allows user namespaces.
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
