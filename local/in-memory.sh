#!/bin/sh
# in-memory.sh FOLDER COMMAND...: runs COMMAND with FOLDER in memory where this machine lets us, else with FOLDER as it is.
# Hundreds of tests make and drop a database each, which takes some file systems thirty times longer on a disk. Only
# COMMAND and what it starts see the mount, and it goes with them. Who is not root mounts as the root of a namespace of
# their own, and is themselves again in COMMAND, with no right more than before.
set -eu
folder=$1
shift
mkdir -p "$folder"
mount='mount -t tmpfs -o mode=755 tmpfs "$0" && exec "$@"'
if [ "$(id -u)" = 0 ]; then
    alone="unshare --mount" again=""
else
    alone="unshare --user --map-root-user --mount" again="unshare --user --map-user=$(id -u) --map-group=$(id -g)"
fi
# shellcheck disable=SC2086 - words on purpose
if $alone sh -c "$mount" "$folder" $again true 2>/dev/null; then
    exec $alone sh -c "$mount" "$folder" $again "$@"
fi
exec "$@"
