#!/bin/bash
# A shell on the login node of the cluster, or a command there. Nothing of this machine's own settings is taken along.
set -euo pipefail
clean=(env -i "TERM=${TERM:-dumb}" "USER=$(id -un)" "LOGNAME=$(id -un)" "LANG=C.UTF-8" "BASH_ENV=@root@/etc/profile.sh")
if [ $# -gt 0 ]; then
    # shellcheck disable=SC2016 # for the inner shell
    exec "${clean[@]}" bash --noprofile --norc -c 'unset BASH_ENV; exec "$@"' bash "$@"
fi
cd @root@/home
exec "${clean[@]}" bash --noprofile --rcfile @root@/etc/profile.sh -i
