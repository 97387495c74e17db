#!/bin/sh
# in-memory.sh FOLDER COMMAND...: runs COMMAND with FOLDER in memory where this machine lets us, else with FOLDER as it is.
# Hundreds of tests make and drop a database each, which takes some file systems thirty times longer on a disk. Only
# COMMAND and what it starts see the mount, and it goes with them.
set -eu
folder=$1
shift
mkdir -p "$folder"
mount='mount -t tmpfs -o mode=755 tmpfs "$0" && exec "$@"'
if [ "$(id -u)" = 0 ] && unshare --mount sh -c "$mount" "$folder" true 2>/dev/null; then
    exec unshare --mount sh -c "$mount" "$folder" "$@"
fi
exec "$@"
