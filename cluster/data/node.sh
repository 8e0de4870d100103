#!/bin/bash
# Become a node, in a mount and a host name namespace of our own: NAME, its disk, where it is mounted, the size of a RAM
# disk instead (or none), the folders that can only be read (with colons between), and what to run then.
set -euo pipefail
name=$1 disk=$2 local=$3 memory=$4 readonly=$5
shift 5
hostname "$name"
if [ "$memory" = none ]; then
    mount --bind "$disk" "$local"
else
    mount -t tmpfs -o "size=$memory,mode=755" localscratch "$local"
fi
# On the clusters sh is bash, which has the function `module` of the shell that submitted.
mount --bind "$(readlink -f /bin/bash)" "$(readlink -f /bin/sh)"
IFS=:
for folder in $readonly; do
    mount --bind "$folder" "$folder"
    mount -o remount,bind,ro "$folder"
done
exec "$@"
