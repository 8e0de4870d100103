#!/bin/sh
# Install the programs of Debian and Ubuntu that the tests run against: an OpenSSH server, rsync, Lmod, Slurm, login shells,
# shellcheck. No daemon is started: each test starts its own, as itself, and ends it. Tests whose program is not there are
# skipped, with the reason.
set -eu

packages='openssh-server rsync lmod tcsh fish zsh shellcheck slurmctld slurmd slurm-client munge iproute2'

lacking=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || lacking="$lacking $package"
done
[ -n "$lacking" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "this is neither Debian nor Ubuntu: install by hand, for the tests that need them: $packages" >&2
    exit 1
fi
as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
# What a package installs here must not start on its own.
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null; $as_root chmod +x "$policy"; made=$policy; }
trap '[ -z "${made:-}" ] || $as_root rm -f "$made"' EXIT
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root apt-get install -y -qq --no-install-recommends $lacking
